"""A test run that was killed leaves no rules for ever: the next one takes them away."""

import secrets
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pushdeploy.engine import firewall
from pushdeploy.engine.rules import Bridge, HostRules
from tests.stories.leftovers import note_home, remove_rules_of_gone_homes

pytestmark = pytest.mark.docker


@contextmanager
def closed(instance: str) -> Iterator[HostRules]:
    """The rules of a server, for a bridge that does not exist."""
    walls = HostRules(instance, [Bridge(f"pd-{instance}", "192.0.2.0/26")])
    try:
        assert firewall.enforce(walls) == []
        yield walls
    finally:
        firewall.remove(walls)


def chains() -> str:
    return subprocess.run(
        ["iptables", "-w", "-S"], check=True, capture_output=True, text=True
    ).stdout


@pytest.mark.usefixtures("docker")
def test_rules_go_with_a_home_that_is_no_more_and_nobody_elses_do(tmp_path: Path) -> None:
    gone, there, stranger = (secrets.token_hex(4) for _ in range(3))
    notes, home = tmp_path / "notes", tmp_path / "home"
    home.mkdir()
    note_home(gone, tmp_path / "no-more", notes)
    note_home(there, home, notes)
    with closed(gone) as lost, closed(there) as kept, closed(stranger) as others:
        assert remove_rules_of_gone_homes(notes) == [gone]

        assert lost.chain("host") not in chains()
        assert firewall.are_enforced(kept)
        assert firewall.are_enforced(others)
    assert [note.name for note in notes.iterdir()] == [there]
