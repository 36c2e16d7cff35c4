"""Which language answers, and what is said when none does."""

import shlex
import subprocess
from pathlib import Path

import pytest

from pushdeploy.build.choice import choose
from pushdeploy.build.nested_app import one_level_down
from pushdeploy.domain.errors import BuildFailed
from tests.unit.build.conftest import LANGUAGES, MakeTree


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
def test_the_first_language_that_knows_a_file_builds(
    tree_of: MakeTree, files: list[str], expected: str
) -> None:
    choice = choose(LANGUAGES, tree_of(dict.fromkeys(files, "")))

    assert choice.language.name == expected


def test_the_choice_says_which_file_decided_and_who_was_passed_over(tree_of: MakeTree) -> None:
    choice = choose(LANGUAGES, tree_of({"Dockerfile": "", "requirements.txt": ""}))

    assert str(choice) == "dockerfile app: found Dockerfile (which goes before python)"


@pytest.mark.parametrize("files", [[], ["README.md"], ["app.py"], ["Procfile", "package.json"]])
def test_an_unknown_app_is_told_what_was_looked_for_and_found(
    tree_of: MakeTree, files: list[str]
) -> None:
    with pytest.raises(BuildFailed) as failed:
        choose(LANGUAGES, tree_of(dict.fromkeys(files, "")))

    said = "\n".join(failed.value.details)
    assert "dockerfile: wants a Dockerfile" in said
    assert "python: wants requirements.txt" in said
    assert f"found: {', '.join(sorted(files)) or 'nothing'}" in said


@pytest.mark.parametrize(
    ("files", "directory", "names"),
    [
        (["README.md", "backend/requirements.txt"], "backend", "requirements.txt"),
        (["my app/Procfile", "my app/package.json"], "my app", "Procfile, package.json"),
        (["docs/requirements.txt", "server/Dockerfile"], "server", "Dockerfile"),
        (["web/package.json", "web/lib/requirements.txt"], "web", "package.json"),
    ],
)
def test_an_app_in_a_directory_is_found_there(
    tree_of: MakeTree, files: list[str], directory: str, names: str
) -> None:
    with pytest.raises(BuildFailed) as failed:
        choose(LANGUAGES, tree_of(dict.fromkeys(files, "")))

    assert f"but {directory}/ has {names}" in failed.value.message + "\n"
    assert f"--prefix {shlex.quote(directory)})" in failed.value.hint
    assert "found: " in "\n".join(failed.value.details)


def test_another_directory_with_telling_files_is_named_too(tree_of: MakeTree) -> None:
    with pytest.raises(BuildFailed) as failed:
        choose(LANGUAGES, tree_of({"docs/requirements.txt": "", "server/Dockerfile": ""}))
    assert "docs/ has requirements.txt" in failed.value.details


@pytest.mark.parametrize("path", ["a/b/requirements.txt", "backend/app.py"])
def test_what_lies_deeper_or_tells_nothing_is_no_app(tree_of: MakeTree, path: str) -> None:
    with pytest.raises(BuildFailed) as failed:
        choose(LANGUAGES, tree_of({path: ""}))
    assert failed.value.message == "no builder knows what this app is"


@pytest.mark.parametrize("way", ["push", "move"])
def test_what_is_to_be_typed_for_an_app_in_a_directory_works(
    tree_of: MakeTree, tmp_path: Path, way: str
) -> None:
    files = {"my app/Procfile": "web: x", "my app/.env dir/a b": "", "README.md": ""}
    below = one_level_down(tree_of(files), LANGUAGES)
    assert below is not None
    here, there = tmp_path / "here", tmp_path / "there"
    typed(tmp_path, f"git init -q {here} && git init -q --bare -b main {there}")
    for path, text in files.items():
        (here / path).parent.mkdir(parents=True, exist_ok=True)
        (here / path).write_text(text)
    commit = "git add -A && git -c user.name=Ada -c user.email=ada@example.com commit -qm it"
    typed(here, f"git remote add deploy {there} && {commit}")

    if way == "push":
        typed(here, below.push)
    else:
        typed(here, f"{below.move} && {commit} && git push -q deploy HEAD:refs/heads/main")

    assert "Procfile\n" in typed(there, "git ls-tree --name-only main")
    assert ".env dir/a b\n" in typed(there, "git ls-tree -r --name-only main")


def typed(where: Path, line: str) -> str:
    shell = ["/bin/sh", "-ec", line]
    return subprocess.run(shell, cwd=where, check=True, capture_output=True, text=True).stdout
