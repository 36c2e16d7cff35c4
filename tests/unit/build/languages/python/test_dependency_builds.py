"""Dependencies are really installed, by whatever tool an app has locked them."""

import subprocess
from dataclasses import replace

import pytest
from uv import find_uv_bin

from pushdeploy.build.stacks import Stacks
from pushdeploy.domain.errors import BuildFailed
from pushdeploy.domain.names import KeyName
from pushdeploy.domain.release import Reason, Release, ReleaseStatus
from pushdeploy.engine.docker import DockerEngine
from tests.unit.build.conftest import Bench, MakeClone
from tests.unit.build.looking import PROCFILE, assert_nothing_is_left, look

pytestmark = pytest.mark.docker


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

_SHOW_VERSION = "python -c 'import itsdangerous; print(itsdangerous.__version__)' 2>/dev/null"


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
