"""Django projects: static files are collected in the build, or it is said why not."""

import pytest

from pushdeploy.domain.errors import BuildFailed
from pushdeploy.domain.names import WEB
from pushdeploy.engine.docker import DockerEngine
from tests.unit.build.conftest import Bench, MakeClone
from tests.unit.build.looking import assert_nothing_is_left, look

pytestmark = pytest.mark.docker


def test_django_gets_its_dependencies_once_and_its_static_files_each_time(
    bench: Bench, engine: DockerEngine, clone: MakeClone
) -> None:
    app = clone("notes")
    first = bench.build(app.source())
    assert "Bytecode compiled" in bench.said
    assert "1 static file copied" in bench.said

    changed = bench.build(app.commit({"notes/static/notes/more.css": "b { color: red }\n"}))

    assert "dependencies have not changed" in bench.said
    assert "2 static files copied" in bench.said
    assert changed.image != first.image
    assert changed.release_command == "python manage.py migrate --noinput"
    assert changed.checks[WEB][0].path == "/health"
    assert changed.formation == {WEB: 1}
    said = look(
        engine,
        changed,
        "ls staticfiles/notes/more.*.css | wc -l; python manage.py migrate --noinput | tail -1;"
        " touch /opt/venv/x 2>/dev/null || echo read-only; which uv gcc",
    )
    assert said == ["1", "  Applying notes.0001_initial... OK", "read-only"]


@pytest.mark.parametrize("root", ["made/in/the/build", "public/static"])
def test_static_files_may_lie_where_the_source_has_no_directory(
    bench: Bench, engine: DockerEngine, clone: MakeClone, root: str
) -> None:
    app = clone("notes")
    (app.path / "public").symlink_to("assets")
    settings = (app.path / "notes/settings.py").read_text()
    slug = bench.build(
        app.commit(
            {
                "notes/settings.py": settings.replace(
                    'BASE_DIR / "staticfiles"', f'BASE_DIR / "{root}"'
                ),
                "assets/here.txt": "kept\n",
            }
        )
    )

    said = look(engine, slug, f"ls {root} | sort | tail -2; readlink public; cat public/here.txt")
    assert said == ["notes", "staticfiles.json", "assets", "kept"]


def test_static_files_are_left_alone_when_switched_off(bench: Bench, clone: MakeClone) -> None:
    bench.build(clone("notes").source(), {"DISABLE_COLLECTSTATIC": "1"})

    assert "Collecting static files" not in bench.said


def test_failing_collectstatic_fails_the_build_with_its_reason(
    bench: Bench, engine: DockerEngine, clone: MakeClone
) -> None:
    source = clone("notes").commit({"notes/settings.py": "import os\nos.environ['NOT_THERE']\n"})

    with pytest.raises(BuildFailed) as failed:
        bench.build(source)

    assert failed.value.message == (
        "collectstatic failed: the settings want the config var NOT_THERE, which is not set"
    )
    assert failed.value.hint == "ssh deploy config:set notes NOT_THERE=… BUILD_ENV=NOT_THERE"
    assert failed.value.log_tail == (), "it was shown while it ran"
    assert bench.said.count("Traceback") == 1
    assert 'File "/app/notes/settings.py", line 2' in bench.said
    for foreign in ("site-packages/django", "<frozen", "<string>"):
        assert foreign not in bench.said
    assert_nothing_is_left(engine)

    with pytest.raises(BuildFailed):
        bench.build(source, {"DEBUG_COLLECTSTATIC": "1"})
    assert "site-packages/django" in bench.said


def test_django_as_startproject_leaves_it_is_told_what_its_static_files_want(
    bench: Bench, engine: DockerEngine, clone: MakeClone
) -> None:
    app = clone("notes")
    settings = app.path / "notes" / "settings.py"
    lines = settings.read_text().splitlines(keepends=True)
    settings.write_text("".join(line for line in lines if "STATIC_ROOT" not in line))

    slug = bench.build(app.commit({}))

    assert (
        "skipped: Django has no STATIC_ROOT: add  STATIC_ROOT = BASE_DIR / 'staticfiles'  to its"
        " settings, or: ssh deploy config:set notes DISABLE_COLLECTSTATIC=1"
    ) in bench.said
    assert "Traceback" not in bench.said
    assert look(engine, slug, "ls -d static* 2>&1") == [
        "ls: cannot access 'static*': No such file or directory"
    ]


def test_django_without_the_staticfiles_app_is_left_alone(bench: Bench, clone: MakeClone) -> None:
    app = clone("notes")
    settings = app.path.joinpath("notes", "settings.py").read_text()
    source = app.commit(
        {"notes/settings.py": settings.replace('"django.contrib.staticfiles", ', "")}
    )

    bench.build(source)

    assert "skipped: django.contrib.staticfiles is not among INSTALLED_APPS" in bench.said
