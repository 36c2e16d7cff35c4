"""A candidate has the config and the disks that are wanted now, or those of a former release."""

import pytest

from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.names import CommitId, ImageDigest
from pushdeploy.domain.push import Push
from pushdeploy.domain.release import Candidate, Reason, Release
from pushdeploy.flow.candidates import Candidates
from tests.unit.commands.machine import ADA, SHOP, Machine, slug_of

DATA, LOGS = Attachment.parse("data", "/data"), Attachment.parse("logs", "/logs")
NEW = slug_of(key="new", image=ImageDigest("sha256:" + "9" * 64))
COMMIT = CommitId("a" * 40)


@pytest.fixture
def former(machine: Machine) -> Release:
    """What is live; config and disks have changed since."""
    machine.store.apps.create(SHOP)
    machine.store.config.replace(SHOP, {"A": "then"})
    machine.store.config.share({"ALL": "then"})
    machine.store.disks.replace(SHOP, [DATA])
    live = machine.live()
    machine.store.config.replace(SHOP, {"A": "now"})
    machine.store.config.share({"ALL": "now"})
    machine.store.disks.replace(SHOP, [DATA, LOGS])
    return live


@pytest.fixture
def candidates(machine: Machine) -> Candidates:
    return Candidates(machine.store)


def taken(made: Candidate) -> tuple[str, str | None, list[str]]:
    """Its own config, the shared one where it is fixed, and its disks."""
    shared = made.shared["ALL"] if made.shared is not None else None
    return made.config["A"], shared, [each.disk for each in made.disks]


NOW = ("now", None, ["data", "logs"])


def test_a_push_and_a_rebuild_take_what_is_wanted_now(
    candidates: Candidates, former: Release
) -> None:
    pushed = candidates.of_push(Push(SHOP, "refs/heads/main", COMMIT, NEW.commit, ADA), NEW)
    assert taken(pushed) == NOW
    assert (pushed.slug, pushed.ref, pushed.ref_old) == (NEW, "refs/heads/main", COMMIT)
    rebuilt = candidates.of_rebuild(SHOP, NEW, ADA)
    assert (taken(rebuilt), rebuilt.ref) == (NOW, None)


@pytest.mark.parametrize(
    ("first", "found"),
    [
        (Reason.DEPLOY, NOW),
        (Reason.PROMOTE, NOW),
        (Reason.CONFIG, ("then", None, ["data"])),
        (Reason.DISK, ("then", None, ["data"])),
        (Reason.ROLLBACK, ("then", None, ["data", "logs"])),
    ],
)
def test_a_retry_takes_what_was_tried_where_that_was_the_change(
    candidates: Candidates, former: Release, first: Reason, found: object
) -> None:
    made = candidates.of_retry(former, first, None, ADA)
    assert taken(made) == found
    assert made.description == "Retry of v1: Deploy 4a4bd4d"


def test_a_rollback_takes_the_config_of_then_and_the_disks_of_now(
    candidates: Candidates, former: Release
) -> None:
    made = candidates.of_rollback(former, ADA, release_phase=False, restore=3)
    assert taken(made) == ("then", "then", ["data", "logs"])
    assert (made.restore, made.release_phase) == (3, False)
    assert made.description == "Rollback to v1 with the data of s3"


def test_what_was_live_before_a_promotion_comes_back_as_it_was(
    candidates: Candidates, former: Release
) -> None:
    made = candidates.of_return(former, ADA)
    assert taken(made) == ("then", "then", ["data"])
    assert (made.restore, made.release_phase) == (None, False)


def test_changes_of_config_and_of_disks_keep_the_slug(
    candidates: Candidates, former: Release
) -> None:
    changed = candidates.of_config(former, {"A": "later"}, ADA)
    assert (taken(changed), changed.slug) == (("later", None, ["data", "logs"]), former.slug)
    attached = candidates.of_disks(former, [LOGS], "Attach logs", ADA)
    assert (taken(attached), attached.slug) == (("now", None, ["logs"]), former.slug)
