"""The file system runs full in the middle of an exclusive cut-over: nothing is lost, nothing stays
held."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from tests.stories.harness import Server
from tests.stories.means import run, run_checked
from tests.stories.tally import Clients, Tally

pytestmark = [
    pytest.mark.docker,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts file systems"),
]

MEGABYTE = 1 << 20


@contextmanager
def small_file_system(place: Path, megabytes: int) -> Iterator[None]:
    """A tmpfs: one without the reserve that other file systems keep for root."""
    size = f"size={megabytes}m"
    mounted = run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(place)], cwd=Path("/"))
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield
    finally:
        run_checked(["umount", "--lazy", str(place)], cwd=Path("/"))


def free_bytes(place: Path) -> int:
    status = os.statvfs(place)
    return status.f_bavail * status.f_frsize


@contextmanager
def nearly_full(place: Path, left_bytes: int) -> Iterator[None]:
    """While inside, no more than this is left where ``place`` is."""
    ballast = place / "ballast"
    try:
        ballast.write_bytes(bytes(free_bytes(place) - left_bytes))
        yield
    finally:
        ballast.unlink(missing_ok=True)


def allow_small_rooms(server: Server) -> None:
    """A hook of the operator's in place of the one that wants more room than there is."""
    hook = server.home / "hooks" / "pre-build"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\n")
    hook.chmod(0o755)


@pytest.fixture(scope="module")
def cramped_tally(docker: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tally]:
    """An app whose server has 64 MB for everything: its database, the disks and their snapshots."""
    root = Path(tempfile.mkdtemp(prefix="pushdeploy-"))
    with ExitStack() as undo:
        undo.callback(root.rmdir)
        undo.enter_context(small_file_system(root, 64))
        server = Server(root)
        undo.callback(server.close)
        server.create()
        allow_small_rooms(server)
        server.start()
        yield Tally.live(server, tmp_path_factory.mktemp("tally") / "tally", "tally")


@pytest.fixture
def tally(cramped_tally: Tally) -> Iterator[Tally]:
    with cramped_tally.at_rest():
        yield cramped_tally
        for name in ("cache", "cache-bytes"):
            (cramped_tally.disk / name).unlink(missing_ok=True)


def test_a_snapshot_that_will_not_fit_is_refused_before_anything_is_held(tally: Tally) -> None:
    old = tally.version
    (tally.disk / "cache").write_bytes(bytes(6 * MEGABYTE))
    tally.change("add")

    with nearly_full(tally.server.home, 4 * MEGABYTE), Clients(tally, 5) as clients:
        pushed = tally.repository.push()
        clients.wait_for_answers(5)

    assert pushed.returncode != 0
    assert "a snapshot of data needs 6." in pushed.stderr
    assert "MB are free" in pushed.stderr
    assert "Holding requests" not in pushed.stderr
    assert clients.lost == []
    tally.assert_serves(old, list(clients.acknowledged))


def test_a_snapshot_that_runs_out_of_room_leaves_the_old_version_serving(tally: Tally) -> None:
    """The estimate was right: the old version has written more on its way out."""
    old = tally.version
    (tally.disk / "cache-bytes").write_text(str(8 * MEGABYTE))
    tally.change("add")

    with nearly_full(tally.server.home, 14 * MEGABYTE), Clients(tally, 5) as clients:
        pushed = tally.repository.push()
        clients.wait_for_answers(5)

    assert pushed.returncode != 0
    assert "no snapshot could be taken of the disks of tally" in pushed.stderr
    assert "a snapshot of data needs 8." in pushed.stderr
    assert "MB are free" in pushed.stderr
    assert "goes on serving" in pushed.stderr
    assert clients.lost == []
    tally.assert_serves(old, list(clients.acknowledged))
    unfinished = list((tally.server.home / "snapshots").glob("*/.*"))
    assert unfinished == []


def test_a_migration_that_fills_the_file_system_of_server_and_disk_leaves_the_data(
    tally: Tally,
) -> None:
    old = tally.version
    tally.add("before")
    tally.change("fill")

    pushed = tally.repository.push()

    assert pushed.returncode != 0
    assert "No space left on device" in pushed.stderr
    assert "the data is as it was before" in pushed.stderr
    assert tally.last()["status"] == "failed"
    tally.assert_serves(old, ["before"])
    tally.add("after")


def test_a_migration_that_fills_a_file_system_of_its_own_leaves_the_data(
    cramped_tally: Tally, tmp_path: Path
) -> None:
    server = cramped_tally.server
    disks = server.home / "disks" / "own"
    disks.mkdir()
    with small_file_system(disks, 8):
        own = Tally.live(server, tmp_path / "own", "own")
        old = own.version
        own.add("before")
        own.change("fill")

        pushed = own.repository.push()

        assert pushed.returncode != 0
        assert "No space left on device" in pushed.stderr
        assert "the data is as it was before" in pushed.stderr
        own.assert_serves(old, ["before"])
        own.add("after")
        server.ssh("apps:destroy own --force", check=True)
