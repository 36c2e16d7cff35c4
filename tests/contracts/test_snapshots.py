"""What every kind of snapshot does, on each file system that this machine can make."""

import mmap
import os
import random
import shutil
import socket
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

import pushdeploy.disks.snapshots
from pushdeploy.discover import discover
from pushdeploy.disks.copier_client import start
from pushdeploy.disks.copy_job import CopyJob
from tests import bank
from tests.contracts.snapshots import (
    APP,
    DATA,
    MEGABYTE,
    PLACES,
    Bench,
    bench_in,
    facts,
    inodes,
    litter,
)
from tests.grounds import file_system, settle

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")

KINDS = discover(pushdeploy.disks.snapshots, "SNAPSHOT")


@pytest.fixture(scope="module", params=sorted(PLACES))
def ground(request: pytest.FixtureRequest) -> Iterator[tuple[str, Path]]:
    """The kind that is used there, and a directory on that file system."""
    with file_system(request.param, 4096) as place:
        yield PLACES[request.param], place


@pytest.fixture
def bench(ground: tuple[str, Path]) -> Iterator[Bench]:
    with bench_in(*ground) as made:
        yield made


def test_every_kind_is_tried_somewhere() -> None:
    assert set(PLACES.values()) == set(KINDS)


def test_snapshot_holds_everything_as_it_was(bench: Bench) -> None:
    litter(bench.disk)
    before = facts(bench.disk)
    tree = bench.take(1)
    assert facts(tree) == before
    assert facts(bench.disk) == before
    assert (tree / "two").stat().st_ino == (tree / "uploads" / "names").stat().st_ino
    assert (tree / "sparse").stat().st_blocks * 512 < MEGABYTE


@pytest.mark.parametrize("mode", [0o4755, 0o2755, 0o6711])
def test_copies_have_no_set_id_bits(bench: Bench, mode: int) -> None:
    (bench.disk / "root").write_bytes(b"x")
    (bench.disk / "root").chmod(mode)
    tree = bench.take(1)
    clone = bench.clone(1, 20_008)
    (bench.disk / "root").unlink()
    bench.restore(1)
    modes = {(place / "root").stat().st_mode for place in (tree, clone, bench.disk)}
    assert modes == {stat.S_IFREG | (mode & 0o777)}


def test_snapshots_are_for_the_server_alone(bench: Bench) -> None:
    tree = bench.take(1)
    for path in (tree.parent, tree.parent.parent, tree.parent.parent.parent):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_socket_is_left_out(bench: Bench) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(bench.disk / "socket"))
    assert not (bench.take(1) / "socket").exists()


@pytest.mark.parametrize("mode", ["WAL", "DELETE", "TRUNCATE", "PERSIST"])
def test_no_copy_is_torn_under_two_hot_writers(bench: Bench, mode: str) -> None:
    bank.create(bench.disk / "any name", mode, 5_000)
    moves = [0]
    with bank.writers(bench.disk / "any name"):
        for number in range(1, 6):
            tree = bench.take(number, number - 1 or None)
            assert not (tree / "any name-shm").exists()
            clone = bench.clone(number)
            moves.append(bank.moves(clone / "any name"))
            shutil.rmtree(clone)
    assert moves == sorted(moves)
    assert bank.moves(bench.disk / "any name") >= moves[-1] > 0
    assert bench.lines == [line for line in bench.lines if "cannot" not in line]


@pytest.mark.parametrize("mode", ["WAL", "DELETE"])
def test_what_a_killed_writer_left_is_restored_to_the_byte(bench: Bench, mode: str) -> None:
    """A hot WAL or a hot journal: neither recovered nor rolled back by us, but usable."""
    bank.create(bench.disk / "a.db", mode, 5_000)
    with bank.writers(bench.disk / "a.db"):
        pass
    before = facts(bench.disk)
    tree = bench.take(1)
    assert facts(bench.disk) == before
    moves = bank.moves(bench.disk / "a.db")
    assert moves == bank.moves(bench.clone(1) / "a.db")

    with bank.writers(bench.disk / "a.db"):
        pass
    bench.restore(1)
    assert facts(bench.disk) == {
        path: fact for path, fact in before.items() if not path.endswith("-shm")
    }
    assert facts(tree) == facts(bench.disk)
    assert bank.moves(bench.disk / "a.db") == moves


def test_open_database_is_not_touched_and_its_app_goes_on(bench: Bench) -> None:
    with closing(sqlite3.connect(bench.disk / "a.db", timeout=0, isolation_level=None)) as app:
        app.execute("PRAGMA journal_mode = WAL")
        app.execute("CREATE TABLE fact (text)")
        app.execute("INSERT INTO fact VALUES ('kept')")
        before = facts(bench.disk)
        bench.take(1)
        assert facts(bench.disk) == before
        app.execute("INSERT INTO fact VALUES ('later')")
    with closing(sqlite3.connect(bench.clone(1) / "a.db")) as copy:
        assert copy.execute("SELECT text FROM fact").fetchall() == [("kept",)]


def test_idle_database_gets_no_file_beside_it(bench: Bench) -> None:
    for mode in ("WAL", "DELETE"):
        bank.create(bench.disk / mode, mode, 100)
    before = facts(bench.disk)
    bench.take(1)
    assert facts(bench.disk) == before
    assert sorted(before) == [".", "DELETE", "WAL"]


def test_what_only_looks_like_a_database_is_copied(bench: Bench) -> None:
    (bench.disk / "cut").write_bytes(b"SQLite format 3\0")
    (bench.disk / "noise").write_bytes(b"SQLite format 3\0\x10\0\2\2" + os.urandom(5000))
    (bench.disk / "noise-shm").mkdir()
    (bench.disk / "linked").write_bytes(b"SQLite format 3\0\x10\0\2\2" + bytes(5000))
    (bench.disk / "linked-shm").symlink_to("/etc/passwd")
    before = facts(bench.disk)
    assert {"cut", "noise", "linked"} <= set(facts(bench.take(1)))
    assert facts(bench.disk) == before
    assert [line for line in bench.lines if "linked cannot be locked" in line]


def test_files_that_have_not_changed_are_shared_with_the_former_snapshot(bench: Bench) -> None:
    litter(bench.disk)
    bank.create(bench.disk / "a.db", "WAL", 100)
    first = bench.take(1)
    settle(first)
    (bench.disk / "script").write_text("#!/bin/bash")
    (bench.disk / "new").write_text("new")
    second = bench.take(2, 1)
    assert facts(second) == facts(bench.disk)
    same = {path for path, inode in inodes(second).items() if inodes(first).get(path) == inode}
    assert same == set(inodes(first)) - {"script", "away", "nowhere"}


def test_removing_the_former_snapshot_leaves_the_later_one_whole(bench: Bench) -> None:
    litter(bench.disk)
    settle(bench.take(1))
    later = bench.take(2, 1)
    bench.snapshot_files.remove(APP, 1)
    assert facts(later) == facts(bench.disk)
    assert not bench.snapshot_files.path(APP, 1, DATA).exists()


def test_file_that_is_written_through_a_mapping_is_copied_again(bench: Bench) -> None:
    """Its times tell of the first write only, until the kernel has written the page back."""
    (bench.disk / "file").write_bytes(b"0" * 4096)
    with (bench.disk / "file").open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        for number in range(1, 6):
            mapped[0] = number
            tree = bench.take(number, number - 1 or None)
            assert (tree / "file").read_bytes()[0] == number


def test_restore_makes_the_disk_what_it_was(bench: Bench) -> None:
    litter(bench.disk)
    before, inode = facts(bench.disk), bench.disk.stat().st_ino
    bench.take(1)
    (bench.disk / "uploads" / "deep" / "extra").write_text("x")
    (bench.disk / "more" / "and" / "more").mkdir(parents=True)
    (bench.disk / "empty").write_text("no more")
    (bench.disk / "script").chmod(0o777)
    (bench.disk / "away").unlink()
    (bench.disk / "away").mkdir()
    (bench.disk / "two").unlink()
    shutil.rmtree(bench.disk / "uploads")
    (bench.disk / "uploads").symlink_to("/etc")
    bench.disk.chmod(0o700)
    bench.restore(1)
    assert facts(bench.disk) == before
    assert bench.disk.stat().st_ino == inode
    assert (bench.disk / "two").stat().st_nlink == 2


def test_restore_leaves_alone_what_has_not_changed(bench: Bench) -> None:
    litter(bench.disk)
    settle(bench.take(1))
    before = inodes(bench.disk)
    (bench.disk / "script").write_text("changed")
    bench.restore(1)
    after = inodes(bench.disk)
    assert {path for path in before if before[path] == after[path]} == set(before) - {
        "script", "away", "nowhere",
    }  # fmt: skip


def test_restored_file_is_no_link_into_the_snapshot(bench: Bench) -> None:
    (bench.disk / "file").write_text("then")
    tree = bench.take(1)
    (bench.disk / "file").write_text("now")
    bench.restore(1)
    (bench.disk / "file").write_text("later")
    assert (tree / "file").read_text() == "then"


@as_root
def test_clone_belongs_to_its_new_app(bench: Bench) -> None:
    litter(bench.disk)
    (bench.disk / "roots").write_text("x")
    bench.take(1)
    clone = bench.clone(1, 20_008)
    owners = {name: (clone / name).lstat().st_uid for name in (".", "uploads", "away", "roots")}
    assert owners == dict.fromkeys(owners, 20_008)
    (clone / "two").write_text("changed")
    assert (bench.snapshot_files.path(APP, 1, DATA) / "two").read_text() == "names"


def test_changed_bytes_are_those_of_files_that_differ(bench: Bench) -> None:
    bank.create(bench.disk / "a.db", "WAL", 100)
    (bench.disk / "file").write_text("12345")
    bench.take(1)
    assert bench.snapshot_files.changed_bytes(APP, 1, bench.disks) == 0
    (bench.disk / "file").write_text("123")
    (bench.disk / "other").write_text("1234")
    assert bench.snapshot_files.changed_bytes(APP, 1, bench.disks) == 7


def test_room_is_what_a_copy_would_take(bench: Bench) -> None:
    (bench.disk / "file").write_bytes(os.urandom(4 * MEGABYTE))
    first = bench.snapshot_files.room(APP, bench.disks, None)
    settle(bench.take(1))
    second = bench.snapshot_files.room(APP, bench.disks, 1)
    assert first.free_bytes > 0
    if bench.kind == "reflink":
        assert first.needed_bytes == second.needed_bytes == 0
    else:
        assert second.needed_bytes < MEGABYTE <= 4 * MEGABYTE <= first.needed_bytes


@pytest.mark.slow
def test_five_thousand_small_files(bench: Bench) -> None:
    """A tenth of them where mkfs was needed: it is the walk that is tested."""
    for number in range(5_000 if bench.kind == "copy" else 500):
        if number % 200 == 0:
            place = bench.disk / str(number)
            place.mkdir()
        (place / str(number)).write_text(str(number))
    first = bench.take(1)
    settle(first)
    assert facts(bench.take(2, 1)) == facts(first) == facts(bench.disk)


def test_restore_killed_anywhere_is_ended_by_a_second_one(bench: Bench) -> None:
    for number in range(300):
        (bench.disk / str(number)).write_bytes(os.urandom(3000))
    bank.create(bench.disk / "a.db", "WAL", 2_000)
    before = facts(bench.disk)
    tree = bench.take(1)
    chance = random.Random(1)
    for _ in range(4):
        with bank.writers(bench.disk / "a.db", 1):
            for number in chance.sample(range(300), 100):
                (bench.disk / str(number)).write_bytes(b"changed")
        with start(CopyJob("restore", str(tree.parent), {str(DATA): str(bench.disk)})) as running:
            with suppress(subprocess.TimeoutExpired):
                running.wait(0.05 + chance.random() * 0.15)
            running.kill()
        bench.restore(1)
        assert facts(bench.disk) == before
