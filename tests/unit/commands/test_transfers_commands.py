"""disks:export, disks:import, disks:clone: what goes out, what comes in, and what is refused."""

import io
import queue
import tarfile
import threading
from pathlib import Path

import pytest

from pushdeploy.commands.face.transfer_meter import Meter
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.names import AppName
from pushdeploy.locks.apps import Purpose
from pushdeploy.output import Quiet
from tests.unit.commands.machine import SHOP, WEB, Client, Machine

STAGING = AppName("staging")
DATA = Attachment.parse("data", "/data")


class Binary(Client):
    """A client whose output is no text."""

    @property
    def tar(self) -> dict[str, bytes]:
        """The files that it got."""
        with tarfile.open(fileobj=io.BytesIO(bytes(self.out))) as tar:
            members = [member for member in tar if member.isreg()]
            return {each.name: (tar.extractfile(each) or io.BytesIO()).read() for each in members}


class Waiting(Binary):
    """A client that notes when it is told to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.said = threading.Event()

    def write_error(self, data: bytes) -> None:
        super().write_error(data)
        if b"waiting" in data:
            self.said.set()


def tar_of(**files: bytes) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return made.getvalue()


def disk_of(machine: Machine, app: AppName = SHOP, name: str = "data") -> Path:
    return machine.home / "disks" / app / name


def files_of(disk: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in disk.iterdir()}


def leftovers(machine: Machine) -> list[Path]:
    """The directories of snapshots that the ledger does not list."""
    known = {f"{app}/{number}" for app, number in machine.store.snapshots.places()}
    root = machine.home / "snapshots"
    return [path for path in root.glob("*/*") if str(path.relative_to(root)) not in known]


@pytest.fixture
def shop(machine: Machine) -> Machine:
    """A live app whose disk holds a file."""
    machine.store.apps.create(SHOP)
    machine.store.disks.replace(SHOP, [DATA])
    machine.live()
    (disk_of(machine) / "orders").write_text("one")
    return machine


@pytest.fixture
def both(shop: Machine) -> Machine:
    """Another live app with such a disk."""
    shop.store.apps.create(STAGING)
    shop.store.disks.replace(STAGING, [DATA])
    shop.live(STAGING)
    (disk_of(shop, STAGING) / "orders").write_text("staged")
    return shop


# --------------------------------------------------------------------------- export


def test_an_export_is_a_tar_on_stdout_and_leaves_no_snapshot(shop: Machine) -> None:
    client = Binary()
    assert shop.commands.run("disks:export shop data", client) == 0
    assert client.tar == {"./orders": b"one"}
    assert b"MB/s" in client.errors or b"B/s" in client.errors
    assert leftovers(shop) == []
    assert shop.store.snapshots.list(SHOP) == []


def test_an_export_says_at_once_whom_it_waits_for_and_can_be_left(shop: Machine) -> None:
    purpose, cancellation = Purpose("deploy v2", "grace"), Cancellation()
    client, told = Waiting(), queue.SimpleQueue[int]()
    with shop.context.locks.apps.hold(SHOP, purpose, Quiet(), cancellation):
        export = threading.Thread(
            target=lambda: told.put(shop.commands.run("disks:export shop data", client))
        )
        export.start()
        assert client.said.wait(20)
        assert b"waiting: deploy v2 by grace since" in client.errors
        client.cancellation.cancel("you have gone")
        assert told.get(timeout=20) != 0
    export.join()
    assert client.out == b""


def test_an_export_of_a_snapshot_has_what_that_holds(shop: Machine) -> None:
    shop.type("disks:snapshot shop")
    (disk_of(shop) / "orders").write_text("two")
    client = Binary()
    assert shop.commands.run("disks:export shop data s1", client) == 0
    assert client.tar == {"./orders": b"one"}
    assert len(shop.store.snapshots.list(SHOP)) == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("disks:export shop other", "shop has no disk other"),
        ("disks:export shop other s1", "s1 has no disk other, but data"),
        ("disks:export shop data s9", "there is no snapshot s9 of shop"),
        ("disks:export staging data s1", "there is no snapshot s1 of staging"),
        ("disks:export shop data 1x", "is not a snapshot"),
        ("disks:export shop ../data", "is not a disk name"),
    ],
)
def test_an_export_of_what_is_not_there_is_refused(both: Machine, line: str, reason: str) -> None:
    both.type("disks:snapshot shop")
    answer = both.type(line)
    assert (answer.status, answer.out) == (1, "")
    assert reason in answer.errors


def test_no_tar_is_printed_on_a_terminal(shop: Machine) -> None:
    answer = shop.type("disks:export shop data", terminal="xterm")
    assert answer.status == 1
    assert "disks:export shop data > shop-data.tar" in answer.errors


def test_an_export_that_is_cut_short_says_so_and_fails(shop: Machine) -> None:
    shop.type("disks:snapshot shop")
    [(app_id, number)] = shop.store.snapshots.places()
    orders = shop.home / "snapshots" / str(app_id) / str(number) / "data" / "orders"
    orders.parent.joinpath("z").mkdir()
    orders.unlink()
    orders.parent.rename(orders.parent.parent / "gone")
    client = Binary()
    assert shop.commands.run("disks:export shop data s1", client) == 69
    assert b"cut short" in client.errors
    assert b"is not whole" in client.errors


# --------------------------------------------------------------------------- import


def test_an_import_into_a_live_disk_is_a_release_that_can_be_undone(shop: Machine) -> None:
    answer = shop.type("disks:import shop data --force", tar_of(orders=b"two", more=b"x"))

    assert answer.status == 0, answer.errors
    assert files_of(disk_of(shop)) == {"orders": "two", "more": "x"}
    assert [each.reason for each in shop.store.releases.list(SHOP)] == ["restore", "deploy"]
    undo = answer.out.partition("disks:restore ")[2].split()
    assert shop.type(f"disks:restore {undo[0]} {undo[1]} --force").status == 0
    assert files_of(disk_of(shop)) == {"orders": "one"}
    assert leftovers(shop) == []


def test_an_import_that_would_replace_data_says_so_before_it_reads_any(shop: Machine) -> None:
    client = Client(tar_of(orders=b"two"))
    answer = shop.type_as(client, "disks:import shop data")
    assert answer.status == 1
    assert "data of shop holds" in answer.errors
    assert "becomes a snapshot, and is replaced; nothing was read" in answer.errors
    assert "disks:import shop data --force < FILE" in answer.errors
    assert client.read() != b""


def test_an_import_into_a_disk_without_snapshots_says_what_is_lost(shop: Machine) -> None:
    shop.type("disks:set shop data snapshots=off")
    assert "is lost, for it has snapshots=off" in shop.type("disks:import shop data").errors


def test_an_import_into_an_empty_live_disk_needs_no_yes(shop: Machine) -> None:
    (disk_of(shop) / "orders").unlink()
    assert shop.type("disks:import shop data", tar_of(orders=b"two")).status == 0
    assert files_of(disk_of(shop)) == {"orders": "two"}


def test_an_import_into_a_new_disk_waits_for_its_attachment(shop: Machine) -> None:
    answer = shop.type("disks:import shop uploads", tar_of(picture=b"x"))
    assert answer.status == 0, answer.errors
    assert "not attached: disks:attach shop uploads /data" in answer.out
    assert files_of(disk_of(shop, name="uploads")) == {"picture": "x"}
    assert disk_of(shop, name="uploads").stat().st_uid == shop.store.apps.get(SHOP).uid
    assert len(shop.store.releases.list(SHOP)) == 1
    assert shop.store.snapshots.list(SHOP) == []


def test_an_import_before_the_first_release_keeps_what_was_there(machine: Machine) -> None:
    machine.type("apps:create shop")
    machine.type("disks:attach shop data /data")
    assert machine.type("disks:import shop data", tar_of(orders=b"one")).status == 0
    answer = machine.type("disks:import shop data --force", tar_of(orders=b"two"))

    assert answer.status == 0, answer.errors
    assert "at /data from the first release on" in answer.out
    assert files_of(disk_of(machine)) == {"orders": "two"}
    [kept] = machine.store.snapshots.list(SHOP)
    machine.type(f"disks:restore shop {kept.label} --force")
    assert files_of(disk_of(machine)) == {"orders": "one"}


@pytest.mark.parametrize("sent", [b"", b"no tar", tar_of(orders=b"two" * 999)[:2000]])
def test_what_is_no_whole_tar_changes_nothing(shop: Machine, sent: bytes) -> None:
    answer = shop.type("disks:import shop data --force", sent)
    assert answer.status == 1
    assert files_of(disk_of(shop)) == {"orders": "one"}
    assert len(shop.store.releases.list(SHOP)) == 1
    assert leftovers(shop) == []
    assert shop.store.snapshots.list(SHOP) == []


def test_data_that_the_app_does_not_start_with_is_kept_for_another_try(shop: Machine) -> None:
    shop.scheduler.broken.add(WEB)
    answer = shop.type("disks:import shop data --force", tar_of(orders=b"two"))
    assert answer.status == 1
    assert "tries again" in answer.errors
    again = answer.errors.partition("disks:restore shop ")[2].split()[0]
    assert files_of(disk_of(shop)) == {"orders": "one"}
    shop.scheduler.broken.clear()
    assert shop.type(f"disks:restore shop {again} --force").status == 0
    assert files_of(disk_of(shop)) == {"orders": "two"}


def test_an_import_from_a_terminal_is_told_how(shop: Machine) -> None:
    answer = shop.type("disks:import shop data --force", terminal="xterm")
    assert (answer.status, "on standard input" in answer.errors) == (1, True)


# --------------------------------------------------------------------------- clone


def test_a_clone_takes_the_place_of_what_the_other_app_has(both: Machine) -> None:
    answer = both.type("disks:clone shop data staging --force")

    assert answer.status == 0, answer.errors
    assert files_of(disk_of(both, STAGING)) == {"orders": "one"}
    uid = both.store.apps.get(STAGING).uid
    assert (disk_of(both, STAGING) / "orders").stat().st_uid in {uid, 0}
    assert disk_of(both, STAGING).stat().st_uid == uid
    assert both.store.releases.list(STAGING)[0].description.endswith("Clone of data of shop")
    assert len(both.store.releases.list(SHOP)) == 1
    assert both.store.snapshots.list(SHOP) == []
    assert leftovers(both) == []
    undo = answer.out.partition("disks:restore ")[2].split()
    both.type(f"disks:restore {undo[0]} {undo[1]} --force")
    assert files_of(disk_of(both, STAGING)) == {"orders": "staged"}


def test_a_clone_for_an_app_without_such_a_disk_waits_there(both: Machine) -> None:
    answer = both.type("disks:clone shop data staging --as copy")
    assert answer.status == 0, answer.errors
    assert "disk copy of staging, which is not attached: disks:attach staging copy" in answer.out
    assert files_of(disk_of(both, STAGING, "copy")) == {"orders": "one"}
    assert both.store.snapshots.list(STAGING) == []


@pytest.mark.parametrize(
    ("typed", "terminal", "status", "holds"),
    [
        (b"", None, 1, "staged"),
        (b"no\r", "xterm", 1, "staged"),
        (b"yes\r", "xterm", 0, "one"),
        (b"\x03", "xterm", 130, "staged"),
    ],
)
def test_a_clone_that_replaces_data_asks_first(
    both: Machine, typed: bytes, terminal: str | None, status: int, holds: str
) -> None:
    answer = both.type("disks:clone shop data staging", typed, terminal=terminal)
    assert answer.status == status
    assert "which becomes a snapshot, and is replaced" in answer.out
    assert files_of(disk_of(both, STAGING)) == {"orders": holds}
    if terminal is None:
        assert "disks:clone shop data staging --force" in answer.errors


@pytest.mark.parametrize(
    ("line", "status", "reason"),
    [
        ("disks:clone shop data shop", 1, "the same disk"),
        ("disks:clone shop data nobody", 20, "app nobody does not exist"),
        ("disks:clone shop other staging", 1, "shop has no disk other"),
        ("disks:clone shop data staging --as ../x", 1, "is not a disk name"),
    ],
)
def test_a_clone_of_or_for_what_is_not_there_is_refused(
    both: Machine, line: str, status: int, reason: str
) -> None:
    answer = both.type(line)
    assert (answer.status, reason in answer.errors) == (status, True)


def test_two_apps_can_be_cloned_to_each_other_at_once(both: Machine) -> None:
    lines = ["disks:clone shop data staging --force", "disks:clone staging data shop --force"]
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda line=line: statuses.append(both.type(line).status))
        for line in lines
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert statuses == [0, 0]


# --------------------------------------------------------------------------- progress


def test_progress_is_told_once_a_second() -> None:
    times = iter([0.0, 0.5, 1.5, 1.5, 1.5, 2.0, 3.0])
    lines: list[str] = []
    meter = Meter(lines.append, 4096, lambda: next(times))
    for _ in range(3):
        meter.count(bytes(1024))
    assert lines == ["2.0 kB of 4.0 kB, 1.3 kB/s"]
    assert meter.bytes == 3072
