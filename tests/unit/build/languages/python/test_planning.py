"""What is planned for Python apps, before any container is made."""

import pytest

from pushdeploy.build.languages.python import LANGUAGE
from pushdeploy.build.languages.python.planning import SETUPTOOLS
from pushdeploy.build.languages.python.tools import for_uv
from pushdeploy.build.processes import processes_of
from pushdeploy.domain.errors import BuildFailed
from tests.unit.build.conftest import MakeTree, circumstances, install, plan


def test_an_app_without_dependencies_installs_nothing(tree_of: MakeTree) -> None:
    assert plan(tree_of, {"Procfile": "", "app.py": ""}, {}).install is None


def test_a_python_that_no_stack_has_is_fetched_and_its_absence_explained(
    tree_of: MakeTree,
) -> None:
    made = install(tree_of, {"requirements.txt": "", ".python-version": "3.12"})

    assert made.environment["UV_PYTHON"] == "3.12"
    assert made.environment["UV_PYTHON_DOWNLOADS"] == "automatic"
    cause = made.commands[0].explain([])
    assert cause is not None
    assert cause.message.startswith("Python 3.12 is on no stack of this machine")
    assert "3.11 (bookworm), 3.13 (trixie)" in cause.hint


def test_a_python_that_is_fetched_for_the_project_says_so(tree_of: MakeTree) -> None:
    project = '[project]\nname = "x"\nversion = "1"\nrequires-python = "==3.12.*"\n'

    made = plan(tree_of, {"pyproject.toml": project}, {})

    assert made.runtime == "Python 3.12"
    assert "Python 3.12 is fetched: ==3.12.* is required, and no stack has such" in made.notices


@pytest.mark.parametrize(
    ("files", "environment", "expected"),
    [
        (["manage.py"], {}, ["Collecting static files"]),
        (["a/b/c/manage.py"], {}, ["Collecting static files"]),
        (["a/b/c/d/manage.py"], {}, []),
        (["manage.py"], {"DISABLE_COLLECTSTATIC": "1"}, []),
        (["manage.py"], {"DISABLE_COLLECTSTATIC": "0"}, ["Collecting static files"]),
        (["app.py"], {}, []),
        (["manage.py", ".heroku/collectstatic_disabled"], {}, []),
        (["bin/post_compile"], {}, ["Running bin/post_compile"]),
    ],
)
def test_static_files_are_collected_for_django_unless_switched_off(
    tree_of: MakeTree, files: list[str], environment: dict[str, str], expected: list[str]
) -> None:
    tree: dict[str, str | bytes] = dict.fromkeys([*files, "requirements.txt"], "")

    assert expected == [step.title for step in plan(tree_of, tree, environment).finish]


def test_a_missing_procfile_is_explained_with_the_apps_own_line(tree_of: MakeTree) -> None:
    files: dict[str, str | bytes] = {"requirements.txt": "", "shop/wsgi.py": ""}

    with pytest.raises(BuildFailed) as failed:
        processes_of(tree_of(files), {}, plan(tree_of, files, {}).example)

    assert "web: gunicorn shop.wsgi --bind 0.0.0.0:$PORT" in failed.value.hint


def test_pips_index_reaches_uv_and_uvs_own_wins() -> None:
    assert for_uv({"PIP_INDEX_URL": "https://b"})["UV_DEFAULT_INDEX"] == "https://b"
    both = {"PIP_INDEX_URL": "https://b", "UV_DEFAULT_INDEX": "https://a"}
    assert for_uv(both)["UV_DEFAULT_INDEX"] == "https://a"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"requirements.txt": "", ".python-version": "3.11"}, True),
        ({"requirements.txt": "", ".python-version": "3.12"}, True),
        ({"requirements.txt": "", ".python-version": "3.13"}, False),
        ({"Pipfile.lock": "{}", ".python-version": "3.11"}, True),
        ({"pyproject.toml": "[project]\nname='a'", ".python-version": "3.11"}, False),
    ],
)
def test_setuptools_is_there_where_pip_has_it(
    tree_of: MakeTree, files: dict[str, str | bytes], expected: bool
) -> None:
    commands = [str(command) for command in install(tree_of, files).commands]

    assert expected is (f"uv pip install '{SETUPTOOLS}'" in commands)


@pytest.mark.parametrize(
    ("names", "why", "typed"),
    [
        ([], "is no config var", "config:set shop TOKEN=… BUILD_ENV=TOKEN"),
        (["TOKEN"], "is a config var that builds do not see", "config:set shop BUILD_ENV=TOKEN"),
    ],
)
def test_a_token_that_a_build_does_not_see_is_named(
    tree_of: MakeTree, names: list[str], why: str, typed: str
) -> None:
    tree = tree_of({"requirements.txt": "git+https://${TOKEN}@x.example/a.git"})

    with pytest.raises(BuildFailed) as failed:
        LANGUAGE.plan(tree, circumstances(names=names))

    assert failed.value.message == f"requirements.txt wants ${{TOKEN}}, which {why}"
    assert failed.value.hint == f"ssh deploy {typed}"
    LANGUAGE.plan(tree, circumstances({"TOKEN": "t"}))
