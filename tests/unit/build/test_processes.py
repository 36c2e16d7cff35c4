"""What an app starts: its Procfile, else what its language offers."""

import pytest

from pushdeploy.build.processes import ProcessCommands, processes_of, refuse_directories
from pushdeploy.domain.errors import BuildFailed
from pushdeploy.domain.names import WEB, ProcessType
from tests.unit.build.conftest import MakeTree


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


@pytest.mark.parametrize(
    "command",
    ["./src", "src/", "exec ./src/inner --port $PORT", "A=/b /app/src", "./src;", "/app", "./"],
)
def test_a_directory_is_no_command(tree_of: MakeTree, command: str) -> None:
    tree = tree_of({"src/inner/main.py": "", "src-of": ""})

    for processes in (
        ProcessCommands({WEB: command}, None),
        ProcessCommands({WEB: "serve"}, command),
    ):
        with pytest.raises(BuildFailed, match="is a directory"):
            refuse_directories(tree, processes)


@pytest.mark.parametrize(
    "command",
    ["src", "./src/main.py", "./src-of", "cd src && ./main.py", "/src", "../src", "python src", ""],
)
def test_what_may_be_a_program_is_left_to_the_shell(tree_of: MakeTree, command: str) -> None:
    refuse_directories(
        tree_of({"src/main.py": "", "src-of": ""}), ProcessCommands({WEB: command}, None)
    )
