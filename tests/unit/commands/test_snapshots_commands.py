"""disks: settings, snapshots and the way back; what is asked first, and what is refused."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.disk import Attachment, CutOver
from pushdeploy.domain.names import AppName, ImageDigest
from pushdeploy.domain.release import Release
from pushdeploy.output import Quiet
from tests.unit.commands.machine import ADA, SHOP, WEB, Answer, Client, Machine

STAGING = AppName("staging")


@pytest.fixture
def shop(machine: Machine) -> Machine:
    """A live app whose disk holds a file, and another app."""
    for app in (SHOP, STAGING):
        machine.store.apps.create(app)
        machine.store.disks.replace(app, [Attachment.parse("data", "/data")])
        machine.live(app)
    orders(machine).write_text("one")
    return machine


def orders(machine: Machine, app: AppName = SHOP) -> Path:
    return machine.home / "disks" / app / "data" / "orders"


def releases(machine: Machine) -> list[Release]:
    return list(machine.store.releases.list(SHOP))


def refused(answer: Answer, reason: str, hint: str = "") -> bool:
    return answer.status == 1 and reason in answer.errors and hint in answer.errors


# --------------------------------------------------------------------------- attach, destroy


def test_a_size_that_no_disk_can_have_attaches_nothing(machine: Machine) -> None:
    machine.type("apps:create shop")
    assert refused(machine.type("disks:attach shop data /data --size 1k"), "a disk has")
    assert refused(machine.type("disks:attach shop data /data --size much"), "much")
    assert list(machine.store.disks.of(SHOP)) == []
    assert machine.store.apps.get(SHOP).settings.disks.disk_limits_bytes == {}
    assert machine.type("disks:list shop --format json").json == []


def test_a_disk_that_is_refused_keeps_nothing_of_it(shop: Machine) -> None:
    """Whether its name or its place is taken, and of the size that was asked for too."""

    def disks() -> list[tuple[str, object]]:
        rows = shop.type("disks:list shop --format json").json
        return [(row["name"], row["limit_bytes"]) for row in rows]

    before = disks()
    for line in ("data /other --size 64m", "other /data --size 64m", "other data --size 64m"):
        assert shop.type(f"disks:attach shop {line}").status == 1
    assert disks() == before
    assert shop.store.apps.get(SHOP).settings.disks.disk_limits_bytes == {}


def test_an_attached_disk_is_not_destroyed(shop: Machine) -> None:
    answer = shop.type("disks:destroy shop data --force")
    assert refused(answer, "data is attached to shop", "disks:detach shop data, first")
    assert orders(shop).exists()


@pytest.mark.parametrize(
    ("flags", "typed", "terminal", "status"),
    [
        ("", b"", None, 1),
        ("--confirm date", b"", None, 1),
        ("", b"date\r", "xterm", 1),
        ("", b"\x03", "xterm", 130),
        ("", b"data\r", "xterm", 0),
        ("--confirm data", b"", None, 0),
        ("--force", b"", None, 0),
    ],
)
def test_a_disk_is_destroyed_when_its_name_is_typed(
    shop: Machine, flags: str, typed: bytes, terminal: str | None, status: int
) -> None:
    shop.type("disks:detach shop data")
    answer = shop.type(f"disks:destroy shop data {flags}", typed, terminal=terminal)
    assert (answer.status, orders(shop).exists()) == (status, status != 0)
    if terminal:
        assert "Type data to destroy it: " in answer.out
    elif not flags:
        assert "disks:destroy shop data --confirm data" in answer.errors


def test_a_disk_that_is_not_there_cannot_be_destroyed(shop: Machine) -> None:
    answer = shop.type("disks:destroy shop other --force")
    assert refused(answer, "shop has no data on a disk other", "disks:list shop")


# --------------------------------------------------------------------------- set


def test_the_cut_over_is_chosen_and_given_back(shop: Machine) -> None:
    answer = shop.type("disks:set shop cutover=overlap")
    assert "overlap cut-over: as disks:set says" in answer.out
    assert shop.store.apps.get(SHOP).settings.disks.cut_over is CutOver.OVERLAP
    answer = shop.type("disks:set shop cutover=")
    assert "exclusive cut-over: it has a disk" in answer.out
    shown = shop.type("disks:set shop --format json").json
    assert shown == {"cutover": None, "without_snapshots": [], "sizes": {}}


def test_a_disk_is_left_out_of_snapshots(shop: Machine) -> None:
    shop.type("disks:set shop data snapshots=off")
    assert shop.type("disks:set shop --format json").json["without_snapshots"] == ["data"]
    shop.type("config:set shop A=1")
    assert shop.store.snapshots.list(SHOP) == []
    shop.type("disks:set shop data snapshots=on")
    shop.type("config:set shop A=2")
    assert len(shop.store.snapshots.list(SHOP)) == 1


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("cutover=slow", "'slow' is no cut-over"),
        ("cutover", "shop has no disk cutover"),
        ("colour=red", "there is no setting colour"),
        ("snapshots=off", "snapshots is set for one disk: name it first"),
        ("data cutover=overlap", "cutover is set for the app as a whole, without a disk"),
        ("data snapshots", "snapshots has no value"),
        ("data snapshots=no", "'no' is neither on nor off"),
        ("data size=64m", "gets its first size"),
        ("data size=huge", "huge"),
        ("other snapshots=off", "shop has no disk other"),
        ("../x snapshots=off", "is not a disk name"),
    ],
)
def test_what_cannot_be_set_changes_nothing(shop: Machine, words: str, reason: str) -> None:
    before = shop.store.apps.get(SHOP).settings
    assert refused(shop.type(f"disks:set shop {words}"), reason)
    assert shop.store.apps.get(SHOP).settings == before


# --------------------------------------------------------------------------- snapshots


def test_a_snapshot_is_taken_listed_and_forgotten(shop: Machine) -> None:
    answer = shop.type("disks:snapshot shop --note 'before lunch'")
    assert answer.out.splitlines()[-2:] == [
        "s1: 3 B, copy",
        "disks:restore shop s1 brings it back",
    ]
    assert re.fullmatch(
        r"s1 +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(just now\)  data +3 B +before lunch +ada\n",
        shop.type("disks:snapshots shop").out,
    )
    [row] = shop.type("disks:snapshots shop --format json").json
    assert (row["snapshot"], row["disks"], row["release"]) == ("s1", {"data": 3}, None)
    assert shop.type("disks:forget shop s1").out == "s1 is removed\n"
    assert shop.type("disks:snapshots shop").out == ""
    assert orders(shop).read_text() == "one"


def test_a_snapshot_in_json_is_one_document(shop: Machine) -> None:
    answer = shop.type("disks:snapshot shop data --format json")
    assert answer.json["snapshot"] == "s1"
    assert answer.json["description"] == "By hand"
    assert "-----> Snapshot of data" in answer.errors


class Waiting(Client):
    """Knows when it has been told on stderr for what it waits."""

    def __init__(self) -> None:
        super().__init__()
        self.told = Event()

    def write_error(self, data: bytes) -> None:
        super().write_error(data)
        if b"waiting: rebuild" in self.errors:
            self.told.set()


def test_a_snapshot_in_json_is_one_document_although_it_waits_regression(shop: Machine) -> None:
    client, other = Waiting(), Asker(ADA, Quiet(), Cancellation())
    with ThreadPoolExecutor(1) as pool:
        with shop.context.flow.turns.of(SHOP, "rebuild", other):
            answer = pool.submit(shop.type_as, client, "disks:snapshot shop --format json")
            assert client.told.wait(30)
        assert answer.result().json["snapshot"] == "s1"


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("disks:snapshot shop other", "shop has no disk other"),
        ("disks:restore shop s9 --force", "there is no snapshot s9 of shop"),
        ("disks:restore staging s1 --force", "there is no snapshot s1 of staging"),
        ("disks:restore shop v1 --force", "'v1' is not a snapshot"),
        ("disks:restore shop s0 --force", "'s0' is not a snapshot"),
        ("disks:forget shop s9", "there is no snapshot s9 of shop"),
        ("disks:forget staging s1", "there is no snapshot s1 of staging"),
        ("disks:forget shop all", "'all' is not a snapshot"),
    ],
)
def test_what_is_no_snapshot_of_the_app_is_refused(shop: Machine, line: str, reason: str) -> None:
    shop.type("disks:snapshot shop")
    assert refused(shop.type(line), reason)
    assert len(shop.store.snapshots.list(SHOP)) == 1
    assert len(releases(shop)) == 1


def test_an_app_without_a_disk_has_nothing_to_take(machine: Machine) -> None:
    machine.type("apps:create shop")
    answer = machine.type("disks:snapshot shop")
    assert refused(answer, "shop has no disk", "disks:attach shop data /data")


def test_a_snapshot_that_is_to_be_put_back_is_not_forgotten(shop: Machine) -> None:
    shop.type("disks:snapshot shop")
    shop.store.apps.set_put_back(SHOP, 1)
    answer = shop.type("disks:forget shop s1")
    assert refused(answer, "still to be put back from s1", "ps:start shop, first")


@pytest.mark.parametrize("line", ["disks:snapshot shop", "disks:export shop data"])
def test_what_a_failed_release_has_left_is_no_copy_of_the_data_regression(
    shop: Machine, line: str
) -> None:
    shop.type("disks:snapshot shop")
    orders(shop).write_text("half")
    shop.store.apps.set_put_back(SHOP, 1)
    answer = shop.type(line)
    assert answer.status == 75
    assert "still to be put back from s1" in answer.errors
    assert "ps:start shop, first" in answer.errors
    assert [each.label for each in shop.store.snapshots.list(SHOP)] == ["s1"]


def test_an_app_that_is_destroyed_leaves_its_disks_put_back_regression(shop: Machine) -> None:
    shop.type("disks:snapshot shop")
    orders(shop).write_text("half")
    shop.store.apps.set_put_back(SHOP, 1)
    assert shop.type("apps:destroy shop --force").status == 0
    assert orders(shop).read_text() == "one"


# --------------------------------------------------------------------------- restore


def test_a_restore_is_a_release_that_can_be_undone(shop: Machine) -> None:
    shop.type("disks:snapshot shop --note noon")
    orders(shop).write_text("two")

    answer = shop.type("disks:restore shop s1 --force")

    assert answer.status == 0, answer.errors
    assert orders(shop).read_text() == "one"
    assert releases(shop)[0].description == "Restore s1: noon"
    assert re.search(r"s1 is of .* UTC: data written in the .* since is lost", answer.out)
    assert answer.out.splitlines()[-1] == "disks:restore shop s2 undoes it"
    shop.type("disks:restore shop s2 --force")
    assert orders(shop).read_text() == "two"


@pytest.mark.parametrize(
    ("typed", "terminal", "status"),
    [(b"", None, 1), (b"no\r", "xterm", 1), (b"\x03", "xterm", 130), (b"yes\r", "xterm", 0)],
)
def test_a_restore_says_what_is_lost_and_asks(
    shop: Machine, typed: bytes, terminal: str | None, status: int
) -> None:
    shop.type("disks:snapshot shop")
    orders(shop).write_text("two")
    answer = shop.type("disks:restore shop s1", typed, terminal=terminal)
    assert answer.status == status
    assert "files of 3 B have changed" in answer.out
    assert orders(shop).read_text() == ("two" if status else "one")
    if terminal is None:
        assert "disks:restore shop s1 --force" in answer.errors
    else:
        assert "This cannot be undone. Type yes to go on: " in answer.out


def test_a_restore_leaves_the_release_command_out_when_told_so(shop: Machine) -> None:
    shop.live(release_command="migrate", key="migrates", image=ImageDigest("sha256:" + "6" * 64))
    shop.type("disks:snapshot shop")
    shop.type("disks:restore shop s1 --force --no-release-phase")
    assert shop.scheduler.once == []
    shop.type("disks:restore shop s1 --force")
    assert [once.command for once in shop.scheduler.once] == ["migrate"]


def test_a_restore_that_fails_leaves_the_data(shop: Machine) -> None:
    shop.type("disks:snapshot shop")
    orders(shop).write_text("two")
    shop.scheduler.broken.add(WEB)
    answer = shop.type("disks:restore shop s1 --force")
    assert answer.status == 1
    assert "v1 (5042d14) goes on serving" in answer.errors
    assert orders(shop).read_text() == "two"


def test_a_disk_that_is_detached_is_not_restored(shop: Machine) -> None:
    shop.type("disks:snapshot shop")
    shop.type("disks:detach shop data")
    answer = shop.type("disks:restore shop s1 --force")
    assert refused(answer, "which is not attached to shop", "disks:attach shop data /PATH, first")


def test_before_the_first_release_a_restore_is_done_at_once(machine: Machine) -> None:
    machine.type("apps:create shop")
    machine.type("disks:attach shop data /data")
    machine.type("disks:snapshot shop")
    orders(machine).write_text("one")
    answer = machine.type("disks:restore shop s1 --force")
    assert "the disks of shop hold what s1 holds" in answer.out
    assert not orders(machine).exists()


def test_what_is_restored_is_not_put_back_afterwards_regression(machine: Machine) -> None:
    machine.type("apps:create shop")
    machine.type("disks:attach shop data /data")
    machine.type("disks:snapshot shop")
    orders(machine).write_text("two")
    machine.type("disks:snapshot shop")
    machine.store.apps.set_put_back(SHOP, 2)
    assert machine.type("disks:restore shop s1 --force").status == 75
    assert machine.type("ps:start shop").status == 0
    assert machine.type("disks:restore shop s1 --force").status == 0
    machine.context.flow.converger.converge(SHOP, Quiet())
    assert not orders(machine).exists()


# --------------------------------------------------------------------------- rollback, stop, info


def test_a_rollback_brings_the_disk_back_as_the_release_left_it(shop: Machine) -> None:
    shop.type("config:set shop A=1")
    orders(shop).write_text("two")

    asked = shop.type("releases:rollback shop v1 --with-disk")
    assert refused(asked, "cannot be undone", "releases:rollback shop v1 --with-disk --force")
    assert "since is lost" in asked.out
    assert orders(shop).read_text() == "two"
    answer = shop.type("releases:rollback shop v1 --with-disk --force")

    assert answer.status == 0, answer.errors
    assert orders(shop).read_text() == "one"
    assert "code, config and disks went back; the disks to s1" in answer.out
    assert "disks:restore shop s2 has what they held before" in answer.out


def test_a_rollback_with_its_disk_can_be_confirmed_on_a_terminal(shop: Machine) -> None:
    shop.type("config:set shop A=1")
    orders(shop).write_text("two")
    line = "releases:rollback shop v1 --with-disk"
    assert shop.type(line, b"n\r", terminal="xterm").status == 1
    assert shop.type(line, b"yes\r", terminal="xterm").status == 0
    assert orders(shop).read_text() == "one"


def test_a_rollback_without_a_snapshot_to_go_back_to_is_refused(shop: Machine) -> None:
    shop.type("disks:set shop data snapshots=off")
    shop.type("config:set shop A=1")
    answer = shop.type("releases:rollback shop v1 --with-disk --force")
    assert refused(answer, "no snapshot was taken when v1 was replaced", "disks:snapshots shop")


def test_a_rollback_alone_never_touches_the_disk(shop: Machine) -> None:
    shop.type("config:set shop A=1")
    orders(shop).write_text("two")
    assert shop.type("releases:rollback shop v1").status == 0
    assert orders(shop).read_text() == "two"


def test_a_one_off_command_that_does_not_run_cannot_be_ended(shop: Machine) -> None:
    assert refused(shop.type("ps:stop shop run.4711"), "run.4711", "ps shop")
    answer = shop.type("ps:stop web.1 -a shop")
    assert refused(answer, "'web.1' is no one-off", "ps:restart shop web.1 replaces it")
    assert "ps:scale shop web=0" in answer.errors


def test_info_tells_since_when_requests_are_held(shop: Machine) -> None:
    assert shop.type("apps:info shop --format json").json["requests_held_since"] is None
    shop.context.locks.traffic.requests_wait(SHOP)
    assert shop.type("apps:info shop --format json").json["requests_held_since"]
    assert "requests are held since" in shop.type("ps shop").errors
