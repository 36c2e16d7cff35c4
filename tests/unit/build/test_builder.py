"""Real sources become real slugs: what is inside, what is shared, what is left after a failure."""

import secrets
import subprocess
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from uv import find_uv_bin

from pushdeploy.build.containers import BuildSettings, run_to_end, temporary
from pushdeploy.build.stack_definitions import DEFINITIONS
from pushdeploy.build.stacks import Stacks
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.container import ContainerSpec, ImageInfo
from pushdeploy.domain.errors import BuildFailed, Cancelled, PushdeployError
from pushdeploy.domain.names import WEB, KeyName, ProcessType
from pushdeploy.domain.release import Reason, Release, ReleaseStatus
from pushdeploy.domain.slug import Slug
from pushdeploy.engine.docker import DockerEngine
from tests.unit.build.conftest import Bench, MakeClone, bench_of

pytestmark = pytest.mark.docker

SETUP = """
import setuptools, sys, time
print("setup.py is at work", file=sys.stderr, flush=True)
{what}
setuptools.setup(name="slow", version="1")
"""
PROCFILE = "web: python app.py\n"


def look(engine: DockerEngine, slug: Slug, script: str) -> list[str]:
    """What a shell script says in a container of the slug, run as an app is."""
    spec = ContainerSpec(
        image=slug.image,
        name=f"pushdeploy-{engine.instance}-look",
        labels={},
        command=["sh", "-c", script],
        user="20001:1000" if slug.runs_as == "app" else None,
    )
    lines: list[str] = []

    def hear(line: str) -> bool:
        lines.append(line)
        return True

    with temporary(engine, spec) as container:
        run_to_end(engine, container, hear, 60, Cancellation())
    return lines


def image_of(engine: DockerEngine, slug: Slug) -> ImageInfo:
    image = engine.image(slug.image)
    assert image is not None
    return image


def assert_nothing_is_left(engine: DockerEngine) -> None:
    assert engine.containers({}) == []


def test_an_app_without_dependencies_is_its_source_on_the_stack(
    bench: Bench, engine: DockerEngine, clone: MakeClone
) -> None:
    source = clone("hello").commit({"lib/data": "old"})

    slug = bench.build(source)

    assert (slug.builder, slug.stack, slug.runs_as) == ("python", "bookworm", "app")
    assert slug.process_types == {
        WEB: "python web.py",
        ProcessType("worker"): "python worker.py",
    }
    assert look(engine, slug, _WHAT_AN_APP_MAY) == [
        "/app",
        "hello from all",
        "lib/mine",
        "ls: cannot access '.git': No such file or directory",
    ]
    assert_nothing_is_left(engine)


_WHAT_AN_APP_MAY = (
    "pwd; echo hello from all > lib/data && cat lib/data; touch lib/mine && ls lib/mine;"
    " ls -d .git 2>&1"
)


def test_an_image_tells_what_it_is_made_of(
    bench: Bench, engine: DockerEngine, clone: MakeClone
) -> None:
    source = clone("hello").source()

    slug = bench.build(source)

    image = image_of(engine, slug)
    assert image.labels["pushdeploy.slug"] == slug.key
    assert image.labels["pushdeploy.commit"] == source.commit
    assert image.labels["pushdeploy.tree"] == source.tree
    assert image.labels["pushdeploy.builder"] == "python"
    assert image.labels["pushdeploy.stack"] == "bookworm"
    assert '"web": "python web.py"' in image.labels["pushdeploy.process-types"]
    assert image.labels["org.opencontainers.image.revision"] == source.commit
    assert f"pushdeploy-{engine.instance}/slug:{slug.key[:32]}" in image.tags


def test_an_equal_tree_is_built_once_and_carries_the_new_commit(
    bench: Bench, clone: MakeClone
) -> None:
    app = clone("hello")
    first = bench.build(app.source())

    again = bench.build(app.commit({}))

    assert again.image == first.image
    assert again.commit == app.source().commit != first.commit
    assert f"Reusing slug {first.key[:12]}" in bench.said


def test_a_lost_image_is_built_again(bench: Bench, engine: DockerEngine, clone: MakeClone) -> None:
    source = clone("hello").source()
    first = bench.build(source)
    bench.builder.remove(first)
    assert bench.builder.find(first.key) is None

    again = bench.build(source)

    assert again.key == first.key
    assert "Reusing" not in bench.said
    image_of(engine, again)


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


def test_static_files_are_left_alone_when_switched_off(bench: Bench, clone: MakeClone) -> None:
    bench.build(clone("notes").source(), {"DISABLE_COLLECTSTATIC": "1"})

    assert "Collecting static files" not in bench.said


def test_config_vars_reach_the_build_by_name_and_never_the_image(
    bench: Bench, engine: DockerEngine, clone: MakeClone
) -> None:
    source = clone().commit(
        {
            "Procfile": PROCFILE,
            "requirements.txt": ".\n",
            "setup.py": SETUP.format(what=_REQUIRES_ENVIRONMENT),
        }
    )
    secret = f"s3cret-{secrets.token_hex(8)}"
    config = {"SECRET_KEY": secret, "DATABASE_URL": "hidden", "BUILD_ENV": "SECRET_KEY"}

    slug = bench.build(source, config)

    seen = ["\n".join(look(engine, slug, "env")), bench.said]
    for words in (["image", "inspect"], ["history", "--no-trunc"], ["save"]):
        shown = subprocess.run(["docker", *words, slug.image], capture_output=True, check=True)
        seen.append(shown.stdout.decode(errors="replace"))
    assert [secret in text for text in seen] == [False] * 5
    assert "SSL_CERT_FILE" not in seen[0] + seen[2] + seen[3]


_REQUIRES_ENVIRONMENT = """
import os
assert os.environ["SECRET_KEY"].startswith("s3cret-")
print("the key is", os.environ["SECRET_KEY"], file=sys.stderr)
assert "DATABASE_URL" not in os.environ
"""


def test_a_build_that_prints_a_secret_shows_none(bench: Bench, clone: MakeClone) -> None:
    tells = "import os\nraise SystemExit('the key is ' + os.environ['SECRET_KEY'])"
    source = clone().commit(
        {
            "Procfile": PROCFILE,
            "requirements.txt": ".\n",
            "setup.py": SETUP.format(what=tells),
        }
    )

    with pytest.raises(BuildFailed) as failed:
        bench.build(source, {"SECRET_KEY": "s3cret-of-all", "BUILD_ENV": "SECRET_KEY"})

    said = bench.said + "\n".join(failed.value.log_tail)
    assert "the key is ****" in said
    assert "s3cret-of-all" not in said


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


def test_a_dependency_that_does_not_exist_fails_with_the_installers_words(
    bench: Bench, engine: DockerEngine, clone: MakeClone
) -> None:
    source = clone().commit({"Procfile": PROCFILE, "requirements.txt": "click==0.0.0.999\n"})

    with pytest.raises(BuildFailed) as failed:
        bench.build(source)

    assert failed.value.message == "there is no click==0.0.0.999"
    assert failed.value.exit_code == 1
    assert "click==0.0.0.999" in bench.said
    assert engine.images({"pushdeploy.role": "slug", "pushdeploy.commit": source.commit}) == []
    assert_nothing_is_left(engine)


def test_dependencies_that_need_a_newer_python_get_it_where_it_is_prepared(
    bench: Bench, stacks: Stacks, clone: MakeClone
) -> None:
    if not stacks.ready("trixie"):
        pytest.skip("the stack trixie is not prepared: it takes minutes")
    app = clone()
    source = app.commit({"Procfile": PROCFILE, "requirements.txt": "django==6.0.*\n"})

    slug = bench.build(source)

    assert slug.stack == "trixie"
    assert "django needs Python >=3.12, and this app gets 3.11: trying another" in bench.said

    bench.live.releases[source.app] = Release(
        app=source.app,
        version=1,
        status=ReleaseStatus.LIVE,
        reason=Reason.DEPLOY,
        description="",
        slug=replace(slug, stack="bookworm"),
        config={},
        disks=(),
        by=KeyName("ada"),
        created_at=slug.created_at,
    )
    with pytest.raises(BuildFailed, match=r"django needs Python >=3\.12") as failed:
        bench.build(source)
    assert "Python 3.11, as in the live release" in bench.said
    assert "echo 3.13 > .python-version" in failed.value.hint


def test_linked_requirements_a_package_of_the_tree_and_pkg_resources_work(
    bench: Bench, engine: DockerEngine, clone: MakeClone
) -> None:
    app = clone()
    app.path.joinpath("requirements.txt").symlink_to("conf/prod.txt")
    app.path.joinpath("Procfile").symlink_to("conf/Procfile")
    source = app.commit(
        {
            "conf/prod.txt": "./ours\n",
            "conf/Procfile": PROCFILE,
            "ours/setup.py": "import setuptools\nsetuptools.setup(name='ours', version='7')\n",
        }
    )

    slug = bench.build(source)

    shown = "import pkg_resources; print(pkg_resources.get_distribution('ours').version)"
    assert look(engine, slug, f'python -W ignore -c "{shown}"; readlink requirements.txt') == [
        "7",
        "conf/prod.txt",
    ]


def test_post_compile_adds_to_the_slug_or_fails_the_build(
    bench: Bench, engine: DockerEngine, clone: MakeClone
) -> None:
    app = clone("hello")
    slug = bench.build(app.commit({"bin/post_compile": "python -V; echo made > lib.txt\n"}))

    assert "Running bin/post_compile" in bench.said
    assert look(engine, slug, "cat lib.txt; ls web.py") == ["made", "web.py"]

    with pytest.raises(BuildFailed, match="bash bin/post_compile failed with exit code 3"):
        bench.build(app.commit({"bin/post_compile": "exit 3\n"}))


POETRY = '[tool.poetry.dependencies]\npython = "^3.11"\nitsdangerous = "^2"\n'
POETRY_LOCK = '[[package]]\nname = "itsdangerous"\nversion = "2.1.2"\n'
PIPFILE_LOCK = '{"default": {"itsdangerous": {"version": "==2.1.2"}}, "develop": {}}'
PROJECT = '[project]\nname="a"\nversion="1"\nrequires-python=">=3.11"\n'
PINNED = f'{PROJECT}dependencies=["itsdangerous==2.1.2"]\n'


@pytest.mark.parametrize(
    "files",
    [
        pytest.param({"pyproject.toml": POETRY, "poetry.lock": POETRY_LOCK}, id="poetry"),
        pytest.param({"Pipfile.lock": PIPFILE_LOCK}, id="pipenv"),
        pytest.param({"pyproject.toml": PINNED}, id="pyproject"),
    ],
)
def test_every_managers_lock_file_installs_what_it_pins(
    bench: Bench, engine: DockerEngine, clone: MakeClone, files: dict[str, str]
) -> None:
    slug = bench.build(clone().commit({"Procfile": PROCFILE, **files}))

    assert look(engine, slug, _SHOW_VERSION) == ["2.1.2"]


_SHOW_VERSION = "python -c 'import itsdangerous; print(itsdangerous.__version__)' 2>/dev/null"


def test_uv_lock_installs_what_it_pins_and_a_stale_one_fails(
    bench: Bench, engine: DockerEngine, clone: MakeClone
) -> None:
    app = clone()
    app.commit({"Procfile": PROCFILE, "pyproject.toml": PINNED})
    subprocess.run([find_uv_bin(), "lock", "-q"], cwd=app.path, check=True)
    slug = bench.build(app.commit({}))
    assert look(engine, slug, _SHOW_VERSION) == ["2.1.2"]

    with pytest.raises(BuildFailed, match=r"uv\.lock does not fit pyproject\.toml") as failed:
        bench.build(app.commit({"pyproject.toml": PINNED.replace("2.1.2", "2.1.1")}))

    assert "uv lock" in failed.value.hint


def test_a_project_that_installs_itself_is_found_where_it_runs(
    bench: Bench, engine: DockerEngine, clone: MakeClone
) -> None:
    project = PROJECT + '[build-system]\nrequires=["setuptools"]\n'
    source = clone().commit(
        {"Procfile": PROCFILE, "pyproject.toml": project, "src/shop/__init__.py": "PRICE = 7\n"}
    )

    slug = bench.build(source)

    assert look(engine, slug, "cd /; python -c 'import shop; print(shop.PRICE)'") == ["7"]


def test_cancelling_kills_the_build_within_two_seconds(
    bench: Bench, engine: DockerEngine, clone: MakeClone
) -> None:
    source = clone().commit(
        {
            "Procfile": PROCFILE,
            "requirements.txt": ".\n",
            "setup.py": SETUP.format(what="time.sleep(600)"),
        }
    )
    cancellation = Cancellation()
    raised: list[PushdeployError] = []

    def build() -> None:
        with pytest.raises(Cancelled) as cancelled:
            bench.build(source, cancellation=cancellation)
        raised.append(cancelled.value)

    building = threading.Thread(target=build)
    building.start()
    _wait_until_running(engine)
    began = time.monotonic()
    cancellation.cancel("the client went away")
    building.join(timeout=10)

    assert time.monotonic() - began < 2
    assert raised[0].message == "cancelled: the client went away"
    assert_nothing_is_left(engine)


def _wait_until_running(engine: DockerEngine) -> None:
    with engine.events() as events:
        running = {info.state for info in engine.containers({"pushdeploy.role": "build"})}
        if "running" in running:
            return
        for event in events:
            if event.action == "start":
                return


def test_a_build_that_takes_too_long_is_stopped(
    engine: DockerEngine, stacks: Stacks, build_settings: BuildSettings, clone: MakeClone
) -> None:
    settings = replace(build_settings, timeout_seconds=3)
    bench = bench_of(engine, stacks, settings)
    source = clone().commit(
        {
            "Procfile": PROCFILE,
            "requirements.txt": ".\n",
            "setup.py": SETUP.format(what="time.sleep(600)"),
        }
    )

    with pytest.raises(BuildFailed, match="took over 3 s") as failed:
        bench.build(source)

    assert failed.value.exit_code == 124
    assert_nothing_is_left(engine)


def test_a_build_that_wants_too_much_memory_is_told_so(
    engine: DockerEngine, stacks: Stacks, build_settings: BuildSettings, clone: MakeClone
) -> None:
    settings = replace(build_settings, memory_bytes=256 * 1024**2)
    bench = bench_of(engine, stacks, settings)
    source = clone().commit(
        {
            "Procfile": PROCFILE,
            "requirements.txt": ".\n",
            "setup.py": SETUP.format(what="x = b'x' * 2**30"),
        }
    )

    with pytest.raises(BuildFailed, match="ran out of memory") as failed:
        bench.build(source)

    assert "PUSHDEPLOY_BUILD_MEMORY_BYTES" in failed.value.hint


def test_a_dockerfile_says_itself_how_it_runs(
    bench: Bench, engine: DockerEngine, clone: MakeClone
) -> None:
    config = {"BASE": DEFINITIONS["bookworm"].run_tag, "BUILD_ENV": "BASE", "SECRET": "hidden"}

    slug = bench.build(clone("dockerfile").source(), config)

    assert (slug.builder, slug.stack, slug.runs_as, slug.port) == ("dockerfile", "", "image", 8000)
    assert slug.process_types == {WEB: ""}
    assert image_of(engine, slug).labels["pushdeploy.slug"] == slug.key
    assert look(engine, slug, "pwd; id -u") == ["/srv", "1000"]


def test_a_dockerfile_app_may_have_a_procfile_too(bench: Bench, clone: MakeClone) -> None:
    config = {"BASE": DEFINITIONS["bookworm"].run_tag, "BUILD_ENV": "BASE"}
    source = clone("dockerfile").commit({"Procfile": "release: true\n"})

    slug = bench.build(source, config)

    assert (slug.process_types, slug.release_command) == ({WEB: ""}, "true")


def test_an_image_that_starts_nothing_is_refused(bench: Bench, clone: MakeClone) -> None:
    dockerfile = f"FROM {DEFINITIONS['bookworm'].run_tag}\nCMD []\n"

    with pytest.raises(BuildFailed, match="neither CMD nor ENTRYPOINT"):
        bench.build(clone().commit({"Dockerfile": dockerfile}))


def test_an_app_that_needs_no_build_runs_as_it_is(
    bench: Bench, engine: DockerEngine, clone: MakeClone
) -> None:
    source = clone().commit({"Procfile": "web: ./serve\n", "serve": "#!/bin/sh\necho served\n"})

    slug = bench.build(source)

    assert slug.builder == "null"
    assert look(engine, slug, "sh ./serve") == ["served"]


def test_the_cache_of_downloads_is_the_apps_own(
    bench: Bench, build_settings: BuildSettings, clone: MakeClone
) -> None:
    source = clone().commit({"Procfile": PROCFILE, "pyproject.toml": PINNED + "# cached\n"})
    bench.build(source, app_id=7)

    cache: Path = build_settings.cache / "apps" / "7" / "uv"
    assert cache.stat().st_uid == 1000
    assert any(cache.iterdir())


PLANTING = """
import os, pathlib, setuptools
for place in (os.environ["UV_CACHE_DIR"], "/opt", "/tmp", "/app"):
    for each in [place, *(folder for folder, _, _ in os.walk(place))]:
        if os.access(each, os.W_OK):
            pathlib.Path(each, "planted.py").write_text("planted = True\\n")
setuptools.setup(name="planter", version="1")
"""
LOOK_FOR_PLANTS = """
import os, setuptools
found = [os.path.join(at, "planted.py") for place in (os.environ["UV_CACHE_DIR"], "/opt", "/tmp")
         for at, _, names in os.walk(place) if "planted.py" in names]
assert not found, found
setuptools.setup(name="planter", version="1")
"""


def test_what_one_app_can_write_in_a_build_no_other_reads(
    bench: Bench, engine: DockerEngine, clone: MakeClone
) -> None:
    planter, other = clone(), clone()
    files = {"Procfile": PROCFILE, "requirements.txt": "itsdangerous==2.1.2\n.\n"}
    mine = bench.build(planter.commit({**files, "setup.py": PLANTING}), app_id=1)
    assert look(engine, mine, "find /opt -name planted.py | head -1") != [], "it does plant"

    theirs = bench.build(other.commit({**files, "setup.py": LOOK_FOR_PLANTS}), app_id=2)

    assert look(engine, theirs, "find / -xdev -name planted.py 2>/dev/null") == []


def test_equal_lock_files_and_trees_of_two_apps_share_nothing(
    bench: Bench, engine: DockerEngine, clone: MakeClone
) -> None:
    """The first has changed what its installer leaves, in a way that no lock file tells."""
    app = clone()
    same = {"Procfile": PROCFILE, "requirements.txt": "itsdangerous==2.1.2\n", "app.py": "1\n"}
    first = bench.build(app.commit(same), app_id=1)
    again = bench.build(app.commit({"app.py": "2\n"}), app_id=1)
    assert "dependencies have not changed" in bench.said

    source = app.commit({"app.py": "1\n"})
    other = bench.build(source, app_id=2)

    assert "Reusing slug" not in bench.said
    assert "dependencies have not changed" not in bench.said
    assert len({first.key, again.key, other.key}) == 3
    layers = engine.images({"pushdeploy.role": "dependencies", "pushdeploy.owner": "2"})
    assert len(layers) >= 1
    assert bench.build(source, app_id=1).image == first.image, "its own is still reused"


def test_a_cache_that_all_apps_shared_is_gone_after_a_start(
    bench: Bench, build_settings: BuildSettings
) -> None:
    former = build_settings.cache / "uv"
    (former / "archive-v0").mkdir(parents=True)

    bench.builder.sweep()

    assert not former.exists()
