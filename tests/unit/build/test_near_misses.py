"""Names that are nearly right."""

import pytest

from pushdeploy.build.choice import choose
from pushdeploy.build.near_misses import files_read, misspelled
from pushdeploy.build.processes import processes_of
from pushdeploy.domain.errors import BuildFailed
from tests.unit.build.conftest import LANGUAGES, MakeTree

NAMES = files_read(LANGUAGES)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (".python-version ", "'.python-version '"),
        ("python-version", "python-version"),
        (".python_version", ".python_version"),
        (".Python-Version", ".Python-Version"),
        ("Runtime.txt", "Runtime.txt"),
        ("runtime.txt ", "'runtime.txt '"),
        ("procfile", "procfile"),
        ("Procfile.txt", "Procfile.txt"),
        ("Requirements.txt", "Requirements.txt"),
        ("requirement.txt", "requirement.txt"),
        ("dockerfile", "dockerfile"),
        ("Dokerfile", "Dokerfile"),
        ("requirments.txt", "requirments.txt"),
        ("requirements.text", "requirements.text"),
        ("Procfille", "Procfille"),
        ("pyproject.tml", "pyproject.tml"),
        ("app.json ", "'app.json '"),
    ],
)
def test_a_misspelled_file_is_named(tree_of: MakeTree, name: str, shown: str) -> None:
    (line,) = misspelled(tree_of({name: "3.13"}), NAMES)

    assert line.startswith(f"{shown} is not read: is  ")


def test_a_file_beside_the_right_one_is_left_alone(tree_of: MakeTree) -> None:
    assert misspelled(tree_of({".python-version": "3.13", "python-version": "x"}), NAMES) == []


@pytest.mark.parametrize(
    "name",
    [
        "Dockerfile.dev",
        "Procfile.dev",
        "Rakefile",
        ".profile",
        "requirements-dev.txt",
        "requirements.in",
        "app.py",
        "app.js",
        "package.json",
        "Procfile/a",
    ],
)
def test_a_name_of_its_own_is_left_alone(tree_of: MakeTree, name: str) -> None:
    assert misspelled(tree_of({name: ""}), NAMES) == []


def test_who_finds_nothing_to_build_or_start_is_told_of_it(tree_of: MakeTree) -> None:
    with pytest.raises(BuildFailed) as unbuilt:
        choose(LANGUAGES, tree_of({"Requirements.txt": ""}))
    with pytest.raises(BuildFailed) as unstarted:
        processes_of(tree_of({"procfile": ""}), {}, "web: x")

    assert "Requirements.txt is not read: is  requirements.txt  meant?" in unbuilt.value.details
    assert "procfile is not read: is  Procfile  meant?" in unstarted.value.details
    assert "a Dockerfile does for every language" in unbuilt.value.hint
