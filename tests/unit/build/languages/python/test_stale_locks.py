"""Lock files that do not fit their project any more, or have not the form of their tool."""

import json

import pytest

from pushdeploy.build.languages.python.managers import dependencies_of
from pushdeploy.build.languages.python.pipenv import refuse_stale
from pushdeploy.build.languages.python.poetry import poetry_pins
from pushdeploy.domain.errors import BuildFailed
from tests.unit.build.conftest import MakeTree

PIPFILE = """
[[source]]
name = "pypi"
url = "https://pypi.org/simple"
verify_ssl = true

[packages]
itsdangerous = "*"

[requires]
python_version = "3.11"
"""
LOCKED = "88707a27a140bd529d0e5172d1366e26aa1151408ad11ad9bbaa39cd0d8ab84c"
"""What pipenv 2026.10 and plette write for it."""


@pytest.mark.parametrize(
    "name", ["requirements.txt", "Pipfile.lock", "poetry.lock", "uv.lock", "pyproject.toml"]
)
def test_a_merge_that_is_not_resolved_is_named(tree_of: MakeTree, name: str) -> None:
    merged = "# here\r\n<<<<<<< HEAD\r\nsix\r\n=======\r\n>>>>>>> theirs\r\n"

    with pytest.raises(BuildFailed, match=f"{name} line 2 is a merge marker: <<<<<<< HEAD"):
        dependencies_of(tree_of({"pyproject.toml": "", name: merged}))


@pytest.mark.parametrize("pipfile", [PIPFILE, PIPFILE.replace("its", "Its")])
def test_a_pipfile_that_was_locked_is_accepted(pipfile: str) -> None:
    refuse_stale(pipfile, json.dumps({"_meta": {"hash": {"sha256": LOCKED}}}))


def test_a_pipfile_that_has_changed_since_is_refused() -> None:
    lock = json.dumps({"_meta": {"hash": {"sha256": LOCKED}}})

    with pytest.raises(BuildFailed, match="does not fit the Pipfile any more") as failed:
        refuse_stale(PIPFILE.replace('"*"', '">=2"'), lock)

    assert "pipenv lock" in failed.value.hint
    refuse_stale("[packages]\n", lock)
    refuse_stale(PIPFILE, "{}")


POETRY_1 = """
[tool.poetry]
name="a"
version="1"
[tool.poetry.dependencies]
python="^3.11"
itsdangerous="^2"
"""
POETRY_2 = """
[project]
name="a"
version="1"
requires-python=">=3.11"
dependencies=["itsdangerous>=2,<3"]
[dependency-groups]
dev=["click"]
"""
ITSDANGEROUS = '[[package]]\nname = "itsdangerous"\nversion = "2.2.0"\n'
HASH_1 = "5eccfecbf51147bbbebb9ccecc1e647a53dd428a72ad30d0a4065353ea6cd7c3"
HASH_2 = "3f14aac629ebb540c2c80ff1ec64486b2780f0a887c18666a08fee3d1791d0fc"
"""What Poetry 1 and 2 write for them."""


@pytest.mark.parametrize(("project", "digest"), [(POETRY_1, HASH_1), (POETRY_2, HASH_2)])
def test_poetrys_own_hash_is_known_and_another_is_refused(project: str, digest: str) -> None:
    lock = f'{ITSDANGEROUS}[metadata]\nlock-version = "2.1"\ncontent-hash = "{digest}"\n'

    poetry_pins(project, lock)
    with pytest.raises(BuildFailed, match=r"poetry\.lock does not fit pyproject\.toml any more"):
        poetry_pins(project.replace("3.11", "3.12"), lock)


@pytest.mark.parametrize(
    "files",
    [
        {"Pipfile.lock": '{"default": {"django": "==5.2"}}'},
        {"Pipfile.lock": '{"_meta": {"sources": [{"name": "a"}]}, "default": {}}'},
        {"Pipfile.lock": '{"_meta": [], "default": {}}'},
        {"poetry.lock": "[[package]]\nversion='1'\n", "pyproject.toml": "[tool.poetry]\n"},
        {"poetry.lock": "package = 'a'\n", "pyproject.toml": "[tool.poetry]\n"},
        {"poetry.lock": "", "pyproject.toml": "tool = 'poetry'\n"},
        {"uv.lock": "", "pyproject.toml": "project = 'a'\n"},
        {"pyproject.toml": "project = ['a']\n"},
    ],
)
def test_a_file_of_another_form_than_its_tools_is_refused(
    tree_of: MakeTree, files: dict[str, str | bytes]
) -> None:
    with pytest.raises(BuildFailed, match="has not the form that its tool gives it"):
        dependencies_of(tree_of(files))
