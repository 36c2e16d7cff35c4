"""What languages decide, before any container is made."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from pushdeploy.build.environment import build_environment
from pushdeploy.build.keys import Ground, layer_key, slug_key
from pushdeploy.build.languages.python.language import LANGUAGE, SETUPTOOLS
from pushdeploy.build.languages.python.tools import for_uv
from pushdeploy.build.plan import Install, LayeredPlan
from pushdeploy.build.processes import processes_of
from pushdeploy.domain.errors import BuildFailed
from pushdeploy.domain.names import WEB, ProcessType, TreeId
from tests.unit.build.conftest import LANGUAGES, MakeTree, circumstances

SEEN = [each.variables.seen for each in LANGUAGES]
TREE, OTHER_TREE = TreeId("1" * 40), TreeId("2" * 40)


def plan(
    tree_of: MakeTree, files: Mapping[str, str | bytes], environment: Mapping[str, str]
) -> LayeredPlan:
    made = LANGUAGE.plan(tree_of(files), circumstances(environment))
    assert isinstance(made, LayeredPlan)
    return made


def install(tree_of: MakeTree, files: Mapping[str, str | bytes]) -> Install:
    made = plan(tree_of, files, {}).install
    assert made is not None
    return made


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


def test_the_release_command_stands_apart_from_the_process_types(tree_of: MakeTree) -> None:
    found = processes_of(
        tree_of({"Procfile": "release: migrate\nweb: serve\nclock: tick\n"}), {}, ""
    )

    assert found.release == "migrate"
    assert found.types == {WEB: "serve", ProcessType("clock"): "tick"}


def test_a_procfile_with_a_release_command_alone_keeps_the_default_types(
    tree_of: MakeTree,
) -> None:
    found = processes_of(tree_of({"Procfile": "release: migrate\n"}), {WEB: ""}, "")

    assert (found.release, found.types) == ("migrate", {WEB: ""})


@pytest.mark.parametrize("text", ["", "release: migrate\n", "<<<<<<< HEAD\n", "web: a\nweb: b\n"])
def test_a_procfile_that_cannot_be_used_fails_the_build(tree_of: MakeTree, text: str) -> None:
    with pytest.raises(BuildFailed, match="Procfile"):
        processes_of(tree_of({"Procfile": text}), {}, "web: example")


def test_a_build_sees_no_config_but_what_is_allowed_or_listed() -> None:
    config = {
        "DATABASE_URL": "secret",
        "SECRET_KEY": "listed",
        "UV_DEFAULT_INDEX": "https://a",
        "PIP_INDEX_URL": "https://b",
        "DISABLE_COLLECTSTATIC": "1",
        "BUILD_ENV": "SECRET_KEY, MISSING",
    }

    assert set(build_environment(config, SEEN)) == set(config) - {"DATABASE_URL"}


def test_pips_index_reaches_uv_and_uvs_own_wins() -> None:
    assert for_uv({"PIP_INDEX_URL": "https://b"})["UV_DEFAULT_INDEX"] == "https://b"
    both = {"PIP_INDEX_URL": "https://b", "UV_DEFAULT_INDEX": "https://a"}
    assert for_uv(both)["UV_DEFAULT_INDEX"] == "https://a"


GROUND = Ground("of-the-app", [LANGUAGE], "sha256:a")


def test_a_slugs_key_changes_with_all_that_goes_into_it() -> None:
    keys = {
        slug_key(GROUND, TREE, {}),
        slug_key(GROUND, OTHER_TREE, {}),
        slug_key(replace(GROUND, base="sha256:b"), TREE, {}),
        slug_key(replace(GROUND, scope="of-another"), TREE, {}),
        slug_key(GROUND, TREE, {"DISABLE_COLLECTSTATIC": "1"}),
    }

    assert len(keys) == 5
    assert slug_key(GROUND, TREE, {}) in keys


def test_a_dependency_layer_is_shared_by_an_apps_trees_with_equal_lock_files(
    tree_of: MakeTree,
) -> None:
    one = install(tree_of, {"requirements.txt": "Django", "app.py": "1"})
    two = install(tree_of, {"requirements.txt": "Django", "app.py": "2"})
    other = install(tree_of, {"requirements.txt": "Flask"})

    def key(made: Install, tree: TreeId, environment: Mapping[str, str]) -> str:
        return layer_key(GROUND, made, tree, environment)

    assert key(one, TREE, {}) == key(two, OTHER_TREE, {"DISABLE_COLLECTSTATIC": "1"})
    assert key(one, TREE, {}) != key(other, TREE, {})
    elsewhere = replace(GROUND, scope="of-another")
    assert key(one, TREE, {}) != layer_key(elsewhere, one, TREE, {})
    assert key(one, TREE, {}) != key(one, TREE, {"UV_DEFAULT_INDEX": "https://a"})


def test_a_layer_made_from_the_source_is_the_trees_own(tree_of: MakeTree) -> None:
    made = install(tree_of, {"requirements.txt": "-e ."})

    assert layer_key(GROUND, made, TREE, {}) != layer_key(GROUND, made, OTHER_TREE, {})


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


@pytest.mark.parametrize("listed", ["ONE,TWO", "ONE, TWO", "ONE TWO", " ONE ,,TWO\n"])
def test_names_that_builds_may_see_stand_between_commas_or_spaces(listed: str) -> None:
    config = {"ONE": "1", "TWO": "2", "THREE": "3", "BUILD_ENV": listed}
    assert set(build_environment(config, SEEN)) == {"ONE", "TWO", "BUILD_ENV"}
