"""Deploys, failures and kills in any order, while people write: an app with a disk has exactly the
lines that were acknowledged, after each of them.

PUSHDEPLOY_EXAMPLES=50 tries more than the few that are the same each time."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from tests.stories.conftest import MakeServer
from tests.stories.harness import Running, wait_until
from tests.stories.tally import HELD_SECONDS, Clients, Tally

pytestmark = [pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(3600)]

WRITERS = 3
FEW = 1
EXAMPLES = int(os.environ.get("PUSHDEPLOY_EXAMPLES", "0"))


class Fate(StrEnum):
    """What becomes of a deploy."""

    LIVE = "live"
    MIGRATION_FAILS = "its migration fails"
    MIGRATION_KILLED = "kill -9 of its migration"
    BOOT_FAILS = "it does not start"
    SERVER_KILLED = "kill -9 of the server in its migration"
    SERVER_KILLED_SOMEWHERE = "kill -9 of the server at a line of its output"


LINES = (
    "Release v",
    "Holding requests",
    "Stopping",
    "Snapshot of",
    "Running the release command",
    "Starting",
    "Switching traffic",
    "requests were held",
)


@dataclass(frozen=True, slots=True)
class Deploy:
    """``migration``: ``add`` keeps the lines, ``delete`` does not. ``killed_at``: the line."""

    fate: Fate
    migration: str = "delete"
    journal: str = "wal"
    killed_at: str = LINES[0]


deploys = st.builds(
    Deploy,
    st.sampled_from(Fate),
    st.sampled_from(["add", "delete"]),
    st.sampled_from(["wal", "delete"]),
    st.sampled_from(LINES),
)
EACH_ONCE = [Deploy(fate, journal=journal) for fate in Fate for journal in ("wal", "delete")][::-1]


class Story:
    """The one app, and what its database has to hold: the acknowledged lines, by their versions."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        self.version = tally.version
        self._notes: list[str] = []
        self._turn = 0

    def go_on(self, deploy: Deploy) -> None:
        """Push under writers, let fate have its way, then compare."""
        tally, self._turn = self.tally, self._turn + 1
        tally.repository.git("reset", "-q", "--hard", tally.repository.remote_main)
        fails = " and fail" * (deploy.fate is Fate.MIGRATION_FAILS)
        boots = {"FAIL_BOOT": "yes"} if deploy.fate is Fate.BOOT_FAILS else {}
        new = tally.change(deploy.migration + fails, JOURNAL=deploy.journal, **boots)
        with Clients(tally, WRITERS, f"{self._turn}: ") as clients:
            clients.wait_for_answers(WRITERS)
            self._push(deploy)
            clients.wait_for_answers(2 * WRITERS)
        tally.gate().unlink()  # what put the disk back has brought the gate back too
        self._compare(deploy, new, clients)

    def _push(self, deploy: Deploy) -> None:
        tally, server = self.tally, self.tally.server
        if deploy.fate not in {Fate.MIGRATION_KILLED, Fate.SERVER_KILLED}:
            push = tally.repository.start_push()
            if deploy.fate is Fate.SERVER_KILLED_SOMEWHERE:
                push.wait_for(deploy.killed_at)
                self._kill_server(push)
            else:
                assert (push.end() == 0) == (deploy.fate is Fate.LIVE), push.said
            return
        gate = tally.gate()
        push = tally.repository.start_push()
        tally.at_gate()
        if deploy.fate is Fate.SERVER_KILLED:
            self._kill_server(push)
            gate.unlink()
            return
        [command] = tally.containers("once")
        subprocess.run(["docker", "kill", "-s", "KILL", command], check=True, capture_output=True)
        gate.unlink()
        assert push.end() != 0, push.said
        assert server.running

    def _kill_server(self, push: Running) -> None:
        self.tally.server.kill()
        push.end()
        self.tally.server.start()

    def _compare(self, deploy: Deploy, new: str, clients: Clients) -> None:
        """A line that was sent and not acknowledged may be there or not; but none is lost here."""
        tally = self.tally
        wait_until(self._settled, 60, lambda: f"{tally.last()} is unfinished")
        assert clients.lost == [], deploy
        went_live = tally.last()["status"] == "live"
        if deploy.fate is not Fate.SERVER_KILLED_SOMEWHERE:
            assert went_live == (deploy.fate is Fate.LIVE), deploy
        acknowledged = clients.acknowledged
        assert clients.versions <= ({self.version, new} if went_live else {self.version})
        if went_live and deploy.migration == "delete":
            self._notes = []
            acknowledged = {note: by for note, by in acknowledged.items() if by == new}
        self._notes += acknowledged
        self.version = new if went_live else self.version
        tally.assert_serves(self.version, self._notes)

    def _settled(self) -> bool:
        """The release has ended, one way or the other, and no command of it runs."""
        ended = self.tally.last()["status"] in {"live", "failed"}
        return ended and not self.tally.containers("once")


@pytest.fixture(scope="module")
def story(make_server: MakeServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A server whose holds outlast its own death and start on a machine that is busy."""
    server = make_server(hold_seconds=str(HELD_SECONDS))
    tally = Tally.live(server, tmp_path_factory.mktemp("tally") / "tally", "tally")
    with tally.at_rest():
        yield Story(tally)
    server.close()


@settings(
    max_examples=EXAMPLES or FEW,
    derandomize=not EXAMPLES,
    phases=[Phase.explicit, Phase.generate],
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@example(EACH_ONCE)
@given(st.lists(deploys, min_size=3, max_size=6))
def test_the_database_holds_what_was_acknowledged(story: Story, steps: list[Deploy]) -> None:
    for deploy in steps:
        story.go_on(deploy)
