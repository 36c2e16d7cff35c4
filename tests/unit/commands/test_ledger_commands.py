"""Locks and retention, as they are typed."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from pushdeploy.domain.container import ImageInfo
from pushdeploy.domain.names import ImageDigest
from pushdeploy.domain.release import Candidate, Reason
from tests.fakes import FakeEngine
from tests.unit.commands.machine import ADA, SHOP, Machine, slug_of
from tests.unit.commands.versions import NEW, OLD, two_versions

# ------------------------------------------------------------- locks


@pytest.mark.parametrize("line", ["ps:rebuild shop", "releases:retry shop"])
def test_a_locked_app_refuses_new_code_and_says_who_when_and_why(
    machine: Machine, line: str
) -> None:
    machine.live()
    machine.type("apps:lock shop 'no deploys before the fair'")
    answer = machine.type(line)
    assert answer.status == 75
    assert "shop was locked by ada at 20" in answer.errors
    assert "UTC: no deploys before the fair" in answer.errors
    assert "apps:unlock shop" in answer.errors
    machine.type("apps:unlock shop")
    assert "locked" not in machine.type(line).errors


def test_the_lock_is_shown_with_its_message_on_one_line(machine: Machine) -> None:
    machine.live()
    machine.type("apps:lock shop 'the\n\x1b\x07fair' is on")
    (row,) = machine.type("apps:list --format json").json
    assert (row["locked_by"], row["lock_message"]) == ("ada", "the fair is on")
    assert row["locked_at"].endswith("+00:00")
    assert "the fair is on" in machine.type("apps:info shop").out
    assert "ada" in machine.type("apps:list", terminal="xterm").out


def test_unlocking_what_is_not_locked_is_fine(machine: Machine) -> None:
    machine.live()
    answer = machine.type("apps:unlock shop")
    assert (answer.status, answer.out) == (0, "shop is not locked\n")
    assert machine.type("--app shop apps:unlock").status == 0


# ------------------------------------------------------------- retention


def test_gc_shows_what_would_go_and_then_removes_it(machine: Machine) -> None:
    two_versions(machine)
    machine.have(slug_of(image=ImageDigest("sha256:" + "3" * 64), key="stray"))
    plan = machine.type("releases:gc --plan --format json").json
    assert {(row["image"][7], row["verdict"]) for row in plan} == {
        ("1", "stays"),
        ("2", "stays"),
        ("3", "goes"),
    }
    assert "1 would go, 2 stay" in machine.type("releases:gc --plan").out
    answer = machine.type("releases:gc")
    assert "no release has it" in answer.out
    assert "1 removed, 2 stay" in answer.out
    assert "0 removed, 2 stay" in machine.type("releases:gc").out


class Counted(FakeEngine):
    """Counts how often it is asked for its images."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def images(self, labels: Mapping[str, str]) -> Sequence[ImageInfo]:
        self.asked += 1
        return super().images(labels)


def test_gc_collects_slugs_once(tmp_path: Path) -> None:
    engine = Counted()
    machine = Machine(tmp_path, engine=engine)
    assert machine.type("releases:gc").status == 0
    assert engine.asked == 1


def test_an_expired_release_is_shown_as_such_and_cannot_be_retried(machine: Machine) -> None:
    machine.live(image=OLD, key="old")
    machine.live(image=NEW, key="new")
    failed = Candidate(SHOP, slug_of(image=OLD, key="old"), {}, [], Reason.DEPLOY, "Deploy", ADA)
    made = machine.store.releases.create(failed)
    machine.store.releases.fail(SHOP, made.version, "no luck")
    machine.engine.remove_image(f"pushdeploy-{machine.engine.instance}/slug:old")
    rows = machine.type("releases shop --format json").json
    assert [(row["status"], row["expired"]) for row in rows] == [
        ("failed", True),
        ("live", False),
        ("retired", True),
    ]
    assert machine.type("releases shop").out.count("expired") == 2
    assert "not kept any longer" in machine.type("releases:output shop v1").errors
    assert "v3 has expired" in machine.type("releases:retry shop").errors
