"""Which buildpack answers, and what is said when none does."""

import pytest

from pushdeploy.build.choice import choose, load_buildpacks
from pushdeploy.domain.errors import BuildFailed
from tests.unit.build.conftest import MakeTree

PACKS = load_buildpacks()


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["Dockerfile", "Procfile"], "dockerfile"),
        (["Dockerfile", "requirements.txt"], "dockerfile"),
        (["requirements.txt"], "python"),
        (["uv.lock", "pyproject.toml"], "python"),
        (["Pipfile"], "python"),
        (["Procfile", "app.py"], "python"),
        (["Procfile", "run.sh"], "null"),
        (["Procfile", "lib/tool.py"], "null"),
    ],
)
def test_the_first_buildpack_that_knows_a_file_builds(
    tree_of: MakeTree, files: list[str], expected: str
) -> None:
    choice = choose(PACKS, tree_of(dict.fromkeys(files, "")))

    assert choice.buildpack.name == expected


def test_the_choice_says_which_file_decided_and_who_was_passed_over(tree_of: MakeTree) -> None:
    choice = choose(PACKS, tree_of({"Dockerfile": "", "requirements.txt": ""}))

    assert str(choice) == "dockerfile app: found Dockerfile (which goes before python)"


@pytest.mark.parametrize("files", [[], ["README.md"], ["app.py"], ["Procfile", "package.json"]])
def test_an_unknown_app_is_told_what_was_looked_for_and_found(
    tree_of: MakeTree, files: list[str]
) -> None:
    with pytest.raises(BuildFailed) as failed:
        choose(PACKS, tree_of(dict.fromkeys(files, "")))

    said = "\n".join(failed.value.details)
    assert "dockerfile: wants a Dockerfile" in said
    assert "python: wants requirements.txt" in said
    assert f"found: {', '.join(sorted(files)) or 'nothing'}" in said
