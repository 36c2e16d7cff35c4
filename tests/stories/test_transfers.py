"""The data of a disk goes out as a tar, comes in as one, and is copied to another app, while people
write to it."""

import io
import os
import signal
import sqlite3
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.stories.harness import Server, wait_until
from tests.stories.tally import Clients, Tally

pytestmark = pytest.mark.docker

LARGE_BYTES = 200 * 1024**2
GROWTH_BYTES = 48 * 1024**2
"""What a server may grow by, whatever passes through it: windows, threads and their stacks."""


@pytest.fixture(scope="module")
def production(shared_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Tally:
    return Tally.live(shared_server, tmp_path_factory.mktemp("p") / "shop", "transfer-shop")


@pytest.fixture(scope="module")
def staging(shared_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Tally:
    return Tally.live(shared_server, tmp_path_factory.mktemp("s") / "stage", "transfer-staging")


@pytest.fixture
def large(production: Tally) -> Iterator[Path]:
    """A file that takes a while to send."""
    path = production.disk / "large"
    with path.open("wb") as file:
        for _ in range(LARGE_BYTES // 1024**2):
            file.write(os.urandom(1024**2))
    yield path
    path.unlink()


def rows_of(tar: Path, scratch: Path) -> list[str]:
    """The notes in the exported database, which must be whole."""
    with tarfile.open(tar) as opened:
        opened.extractall(scratch, filter="data")
    database = sqlite3.connect(scratch / "tally.sqlite3")
    assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    rows = [note for (note,) in database.execute("SELECT note FROM entries ORDER BY id")]
    database.close()
    return rows


def tar_of(name: str, size_bytes: int) -> str:
    """One file of zeros; as text, for that is what is typed."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        file = tarfile.TarInfo(name)
        file.size = size_bytes
        tar.addfile(file, io.BytesIO(bytes(size_bytes)))
    return made.getvalue().decode()


def listed_snapshots(tally: Tally) -> list[str]:
    """What lies in the store of snapshots."""
    return sorted(str(path) for path in (tally.server.home / "snapshots").glob("*/*"))


def snapshots(tally: Tally) -> list[object]:
    return [row["snapshot"] for row in tally.server.json(f"disks:snapshots {tally.app}")]


def children(server: Server, name: str) -> list[str]:
    """Processes of the server's own with this in their command lines."""
    task = Path(f"/proc/{server.pid}/task")
    pids = " ".join(path.read_text() for path in task.glob("*/children")).split()
    found = []
    for pid in pids:
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if name in line:
            found.append(pid)
    return found


def peak_bytes(server: Server) -> int:
    status = Path(f"/proc/{server.pid}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def forget_peak(server: Server) -> int:
    """The peak from now on is what is in memory now."""
    Path(f"/proc/{server.pid}/clear_refs").write_text("5")
    return peak_bytes(server)


def test_what_is_exported_while_people_write_is_whole_and_can_be_imported_elsewhere(
    production: Tally, staging: Tally, tmp_path: Path
) -> None:
    server, tar = production.server, tmp_path / "data.tar"
    with Clients(production, 8) as clients:
        wait_until(lambda: len(clients.acknowledged) > 50, 60, lambda: str(clients.lost[:3]))
        before = set(clients.acknowledged)
        with tar.open("wb") as file:
            export = server.stream(f"disks:export {production.app} data", stdout=file)
            _, said = export.communicate(timeout=60)
    assert (export.returncode, clients.lost) == (0, []), said
    rows = rows_of(tar, tmp_path / "scratch")
    assert before <= set(rows) <= set(clients.acknowledged)

    refused = server.ssh(f"disks:import {staging.app} data")
    with tar.open("rb") as file:
        imported = server.stream(
            f"disks:import {staging.app} data --force", stdin=file, stdout=subprocess.PIPE
        )
        out, said = imported.communicate(timeout=120)

    assert (refused.returncode, "nothing was read" in refused.stderr) == (1, True)
    assert imported.returncode == 0, said
    assert staging.notes == rows
    assert b"requests were held for" in out
    assert staging.last()["reason"] == "restore"
    undo = out.decode().partition("disks:restore ")[2].split()
    server.ssh(f"disks:restore {undo[0]} {undo[1]} --force", check=True)
    assert staging.notes == []
    staging.assert_never_two_at_once()


def test_staging_gets_the_data_of_production_while_people_write(
    production: Tally, staging: Tally
) -> None:
    with Clients(production, 8) as clients:
        wait_until(lambda: len(clients.acknowledged) > 50, 60, lambda: str(clients.lost[:3]))
        before = set(clients.acknowledged)
        production.server.ssh(
            f"disks:clone {production.app} data {staging.app} --force", check=True
        )
    assert clients.lost == []
    assert before <= set(staging.notes) <= set(production.notes)
    staging.add("written by the app's own user")
    assert staging.notes[-1] == "written by the app's own user"
    assert staging.last()["description"].endswith(f"Clone of data of {production.app}")  # type: ignore[attr-defined]


def test_data_that_does_not_fit_on_a_disk_with_a_size_leaves_it_as_it_was(server: Server) -> None:
    """The disk stays the file system that it is."""
    server.ssh("apps:create transfer-small", check=True)
    made = server.ssh("disks:attach transfer-small data /data --size 64m")
    if made.returncode == 69:
        pytest.skip(made.stderr)
    disk = server.disk("transfer-small")
    fits, too_large = tar_of("fits", 30 * 1024**2), tar_of("too-large", 100 * 1024**2)

    server.ssh("disks:import transfer-small data", input=fits, check=True)
    refused = server.ssh("disks:import transfer-small data --force", input=too_large)

    assert (disk / "fits").stat().st_size == 30 * 1024**2
    assert (refused.returncode, "ran out of room" in refused.stderr) == (69, True), refused
    assert [path.name for path in disk.iterdir()] == ["fits"]
    assert disk.is_mount()


def test_an_export_goes_straight_into_an_import_of_a_disk_to_come(
    production: Tally, staging: Tally
) -> None:
    server = production.server
    export = server.stream(f"disks:export {production.app} data", stdout=subprocess.PIPE)
    assert export.stdout
    imported = server.stream(
        f"disks:import {staging.app} second", stdin=export.stdout, stdout=subprocess.PIPE
    )
    out, said = imported.communicate(timeout=60)
    export.stdout.close()
    export.communicate(timeout=60)
    assert (export.returncode, imported.returncode) == (0, 0), said
    assert f"disks:attach {staging.app} second" in out.decode()
    names = {path.name for path in production.disk.iterdir()}
    copied = {path.name for path in server.disk(staging.app, "second").iterdir()}
    assert copied == {name for name in names if not name.endswith("-shm")}


@pytest.mark.parametrize("kind", ["through a link", "cut short", "a device"])
def test_a_hostile_or_broken_tar_changes_nothing(
    production: Tally, tmp_path: Path, kind: str
) -> None:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        link = tarfile.TarInfo("way")
        link.type, link.linkname = tarfile.SYMTYPE, str(tmp_path)
        null = tarfile.TarInfo("null")
        null.type, null.devmajor, null.devminor = tarfile.CHRTYPE, 1, 3
        file = tarfile.TarInfo("way/owned")
        file.size = 100_000
        for member in {"through a link": [link, file], "a device": [null]}.get(kind, [file]):
            tar.addfile(member, io.BytesIO(bytes(file.size)))
    sent = made.getvalue()[:50_000] if kind == "cut short" else made.getvalue()
    notes, kept, last = production.notes, listed_snapshots(production), production.last()

    refused = production.server.ssh(
        f"disks:import {production.app} data --force", input=sent.decode("latin-1")
    )

    assert refused.returncode == 1
    assert (production.notes, listed_snapshots(production), production.last()) == (
        notes,
        kept,
        last,
    )
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_in_the_middle_of_an_export_leaves_nothing(production: Tally, large: Path) -> None:
    server, kept = production.server, listed_snapshots(production)
    export = server.stream(f"disks:export {production.app} data", stdout=subprocess.PIPE)
    assert export.stdout
    assert export.stdout.read(1024**2)
    assert children(server, "--create")
    assert len(listed_snapshots(production)) == len(kept) + 1

    os.killpg(export.pid, signal.SIGINT)

    assert export.wait(30) != 0
    wait_until(
        lambda: listed_snapshots(production) == kept, 30, lambda: str(listed_snapshots(production))
    )
    assert not children(server, "--create")
    export.communicate()


def test_ctrl_c_in_the_middle_of_an_import_leaves_nothing(production: Tally) -> None:
    server, kept, last = production.server, listed_snapshots(production), production.last()
    imported = server.stream(
        f"disks:import {production.app} data --force",
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    )
    assert imported.stdin
    header = tarfile.TarInfo("half")
    header.size = 10 * 1024**2
    imported.stdin.write(header.tobuf() + bytes(5 * 1024**2))
    imported.stdin.flush()
    wait_until(lambda: bool(children(server, "unpacker")), 30, server.log)

    os.killpg(imported.pid, signal.SIGINT)

    assert imported.wait(30) != 0
    with suppress(BrokenPipeError):
        imported.communicate()
    wait_until(
        lambda: listed_snapshots(production) == kept, 30, lambda: str(listed_snapshots(production))
    )
    wait_until(lambda: not children(server, "unpacker"), 30, lambda: "it goes on")
    assert production.last() == last


def test_large_data_passes_through_a_small_server(
    production: Tally, large: Path, tmp_path: Path
) -> None:
    server, tar = production.server, tmp_path / "large.tar"
    before = forget_peak(server)
    with tar.open("wb") as file:
        export = server.stream(f"disks:export {production.app} data", stdout=file)
        _, said = export.communicate(timeout=120)
    assert export.returncode == 0, said
    assert tar.stat().st_size > LARGE_BYTES
    with tar.open("rb") as file:
        imported = server.stream(
            f"disks:import {production.app} large", stdin=file, stdout=subprocess.PIPE
        )
        _, told = imported.communicate(timeout=120)

    assert imported.returncode == 0, told
    copied = server.disk(production.app, "large") / "large"
    assert copied.stat().st_size == LARGE_BYTES
    assert subprocess.run(["cmp", str(copied), str(large)], check=False).returncode == 0
    assert peak_bytes(server) - before < GROWTH_BYTES
    server.ssh(f"disks:destroy {production.app} large --force", check=True)
