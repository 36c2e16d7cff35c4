"""disks: settings, snapshots and the way back; what is asked first, and what is refused."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.disk import Attachment, CutOver
from pushdeploy.domain.names import AppName
from pushdeploy.domain.release import Release
from pushdeploy.output import Quiet
from tests.unit.commands.machine import ADA, SHOP, Client, Machine, refused

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


# --------------------------------------------------------------------------- restore


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


# --------------------------------------------------------------------------- rollback, stop, info


def test_a_rollback_with_its_disk_can_be_confirmed_on_a_terminal(shop: Machine) -> None:
    shop.type("config:set shop A=1")
    orders(shop).write_text("two")
    line = "releases:rollback shop v1 --with-disk"
    assert shop.type(line, b"n\r", terminal="xterm").status == 1
    assert shop.type(line, b"yes\r", terminal="xterm").status == 0
    assert orders(shop).read_text() == "one"


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
