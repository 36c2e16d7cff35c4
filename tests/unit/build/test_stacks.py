"""How a stack is made, as far as no minute is needed for it."""

from dataclasses import replace
from pathlib import Path

import pytest

from pushdeploy.build.bootstrap import Mirrors, command, mirrors_of, unpacked
from pushdeploy.build.stacks import Stacks
from pushdeploy.domain.errors import BackendDown, UserError
from pushdeploy.engine.docker import DockerEngine
from pushdeploy.output import Output
from tests.fakes import FakeEngine
from tests.unit.build.conftest import BOOKWORM, LANGUAGES


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        ([], Mirrors()),
        (["deb http://deb.debian.org/debian bookworm main"], Mirrors()),
        (
            ["deb [arch=amd64] https://mirror.example/debian/ bookworm main\n"],
            Mirrors("https://mirror.example/debian"),
        ),
        (
            [
                "Types: deb\nURIs: http://a.example/debian\n",
                "URIs: http://s.example/debian-security",
            ],
            Mirrors("http://a.example/debian", "http://s.example/debian-security"),
        ),
        (["# deb http://old.example/debian bookworm main"], Mirrors()),
        (["deb http://127.0.0.1:3142/debian bookworm main"], Mirrors()),
        (["deb http://archive.ubuntu.com/ubuntu noble main"], Mirrors()),
    ],
)
def test_the_mirror_is_the_one_that_this_machine_uses(texts: list[str], expected: Mirrors) -> None:
    assert expected == mirrors_of(texts)


def test_mmdebstrap_is_given_the_suite_the_packages_and_signed_sources() -> None:
    words = command(BOOKWORM, Mirrors())

    assert words[0] == "mmdebstrap"
    assert any(word.startswith("--include=") and "python3" in word for word in words)
    assert any(word.startswith("--keyring=") for word in words)
    assert "deb http://deb.debian.org/debian-security bookworm-security main" in words
    (hook,) = [word for word in words if word.startswith("--customize-hook=")]
    assert "useradd --uid 1000" in hook
    assert "\n" not in hook


def test_another_definition_has_other_tags() -> None:
    more = replace(BOOKWORM, run_packages=(*BOOKWORM.run_packages, "curl"))

    assert more.run_tag != BOOKWORM.run_tag
    assert BOOKWORM.run_tag == f"pushdeploy/stack:bookworm-run-{BOOKWORM.key}"


def test_an_unknown_stack_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(UserError) as failed:
        Stacks(FakeEngine(), "auto", tmp_path, None, LANGUAGES).definition("sarge")

    assert failed.value.hint == "there are: bookworm, trixie"


def test_a_damaged_archive_is_told_with_the_remedy(tmp_path: Path) -> None:
    archive = tmp_path / "bookworm.tar.zst"
    archive.write_bytes(b"not zstd")

    with pytest.raises(BackendDown) as failed, unpacked(archive) as tar:
        tar.read()

    assert failed.value.hint.startswith(f"rm {archive}")


@pytest.mark.docker
def test_a_stack_that_is_there_is_found_without_a_word(
    engine: DockerEngine, stacks: Stacks
) -> None:
    lines: list[str] = []

    stack = stacks.ensure("bookworm", Output(lines.append))

    assert lines == []
    assert stacks.ready("bookworm")
    run, build = engine.image(stack.run), engine.image(stack.build)
    assert run is not None
    assert build is not None
    assert run.labels["pushdeploy.stack"] == "bookworm"
    assert run.size_bytes < 250_000_000 < build.size_bytes
