"""What an app starts: its Procfile, else what its language offers."""

import pytest

from pushdeploy.build.processes import processes_of
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
