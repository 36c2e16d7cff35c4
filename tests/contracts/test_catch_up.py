"""A copy that was taken ahead becomes the snapshot, whatever its app has done meanwhile."""

import mmap
import random
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pushdeploy.disks.index import Index
from pushdeploy.disks.snapshot_files import SnapshotFiles
from tests import bank
from tests.contracts.snapshots import APP, DATA, PLACES, Bench, bench_in, facts, inodes, litter
from tests.grounds import file_system, settle
from tests.stories.means import wait_until


@pytest.fixture(scope="module", params=sorted(PLACES))
def ground(request: pytest.FixtureRequest) -> Iterator[tuple[str, Path]]:
    with file_system(request.param, 4096) as place:
        yield PLACES[request.param], place


@pytest.fixture
def bench(ground: tuple[str, Path]) -> Iterator[Bench]:
    with bench_in(*ground) as made:
        yield made


def change_everything(disk: Path) -> None:
    """Each kind of change that there is, to what ``litter`` has left."""
    (disk / "two").write_text("another content")
    (disk / "script").chmod(0o700)
    (disk / "empty").unlink()
    (disk / "empty").mkdir()
    (disk / "empty" / "file").write_text("in what was a file")
    (disk / "uploads" / "new").write_text("new")
    (disk / "uploads" / "deep").rename(disk / "deep")
    shutil.copytree(disk / "deep", disk / "uploads" / "deep" / "deeper")
    (disk / "away").unlink()
    (disk / "away").symlink_to("/etc/hosts")
    (disk / "nowhere").unlink()
    (disk / "nowhere").write_text("what was a link")
    (disk / "fifo").unlink()
    (disk / "third name").hardlink_to(disk / "two")
    (disk / "sparse").rename(disk / "moved")


def test_it_is_what_the_disk_is_now(bench: Bench) -> None:
    litter(bench.disk)
    bench.take(1, flush=True)
    change_everything(bench.disk)
    before = facts(bench.disk)
    tree = bench.catch_up(2, 1)
    assert facts(tree) == facts(bench.disk) == before
    names = [tree / "two", tree / "uploads" / "names", tree / "third name"]
    assert len({name.stat().st_ino for name in names}) == 1


def test_what_has_not_changed_is_the_same_file_and_was_not_even_touched(bench: Bench) -> None:
    litter(bench.disk)
    early = inodes(bench.take(1, flush=True))
    settle(bench.snapshot_files.path(APP, 1, DATA))
    (bench.disk / "new").write_text("new")
    tree = bench.catch_up(2, 1)
    assert facts(tree) == facts(bench.disk)
    assert {path: each for path, each in inodes(tree).items() if path != "new"} == early
    assert not bench.snapshot_files.path(APP, 1, DATA).exists()


def test_snapshots_of_before_are_as_they_were(bench: Bench) -> None:
    litter(bench.disk)
    former = bench.take(1)
    settle(former)
    then = facts(former)
    bench.take(2, 1, flush=True)
    change_everything(bench.disk)
    bench.catch_up(3, 2)
    assert facts(former) == then


def test_a_file_of_a_moment_ago_is_not_copied_again_when_it_was_flushed(bench: Bench) -> None:
    (bench.disk / "file").write_text("young")
    wait_until(
        lambda: time.time_ns() > (bench.disk / "file").stat().st_ctime_ns + 10**8,
        10,
        lambda: "the clock stands still",
    )
    early = bench.take(1, flush=True)
    assert Index.read(early).files["file"].at_rest
    copied = (early / "file").stat().st_ino
    assert (bench.catch_up(2, 1) / "file").stat().st_ino == copied


def test_what_is_written_through_a_mapping_after_the_flush_is_seen(bench: Bench) -> None:
    """Such a write sets the file's time only when its page has been written back before."""
    path = bench.disk / "mapped"
    path.write_bytes(b"a" * 8192)
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 8192) as pages:
        pages[0:1] = b"b"
        early = bench.take(1, flush=True)
        trusted = Index.read(early).files["mapped"].at_rest
        pages[0:1] = b"c"
        tree = bench.catch_up(2, 1)
        assert (tree / "mapped").read_bytes()[:1] == b"c", f"it was trusted: {trusted}"


@pytest.mark.parametrize("mode", ["WAL", "DELETE", "TRUNCATE", "PERSIST"])
def test_no_copy_is_torn_under_two_hot_writers(bench: Bench, mode: str) -> None:
    bank.create(bench.disk / "any name", mode, 5_000)
    moves = [0]
    with bank.writers(bench.disk / "any name"):
        for number in range(1, 9, 2):
            bench.take(number, number - 1 or None, flush=True)
            tree = bench.catch_up(number + 1, number)
            assert not (tree / "any name-shm").exists()
            clone = bench.clone(number + 1)
            moves.append(bank.moves(clone / "any name"))
            shutil.rmtree(clone)
    assert moves == sorted(moves)
    assert bank.moves(bench.disk / "any name") >= moves[-1] > 0


def test_a_database_that_is_closed_meanwhile_leaves_nothing_beside_it(bench: Bench) -> None:
    with closing(sqlite3.connect(bench.disk / "a.db", isolation_level=None)) as app:
        app.execute("PRAGMA journal_mode = WAL")
        app.execute("CREATE TABLE fact (text)")
        assert (bench.take(1, flush=True) / "a.db-wal").exists()
        app.execute("INSERT INTO fact VALUES ('later')")
    tree = bench.catch_up(2, 1)
    assert sorted(path.name for path in tree.iterdir()) == ["a.db"]
    with closing(sqlite3.connect(bench.clone(2) / "a.db")) as copy:
        assert copy.execute("SELECT text FROM fact").fetchall() == [("later",)]


def test_any_changes_to_many_files(bench: Bench) -> None:
    chance = random.Random(7)
    places = [bench.disk / f"d{number}" for number in range(20)]
    for place in places:
        place.mkdir()
        for number in range(30):
            (place / str(number)).write_text(str(number))
    settle(bench.take(1))
    for _ in range(400):
        path = chance.choice(places) / str(chance.randrange(40))
        if path.exists() and chance.random() < 0.5:
            path.unlink()
        else:
            path.write_text(str(chance.random()))
    shutil.rmtree(places[3])
    assert facts(bench.catch_up(2, 1)) == facts(bench.disk)


def test_the_early_one_is_removed_by_its_number_all_the_same(bench: Bench) -> None:
    (bench.disk / "file").write_text("x")
    bench.take(1, flush=True)
    tree = bench.catch_up(2, 1)
    bench.snapshot_files.remove(APP, 1)
    assert (tree / "file").read_text() == "x"
    assert isinstance(bench.snapshot_files, SnapshotFiles)
    assert bench.snapshot_files.sweep([(APP, 2)]) == 0
