"""What every kind of limited disk does, on real file systems: the limit holds, the data stays."""

import errno
import os
import secrets
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pushdeploy.disks import mounts
from pushdeploy.disks.conversion import is_sealed, unseal
from pushdeploy.disks.directories import Directories
from pushdeploy.disks.limits import loopfile
from pushdeploy.disks.programs import found
from pushdeploy.disks.quota import LEAST_BYTES
from pushdeploy.domain.app import App, AppSettings
from pushdeploy.domain.container import ContainerSpec
from pushdeploy.domain.errors import BackendDown, UserError
from pushdeploy.domain.names import AppName, DiskName
from pushdeploy.engine.docker import DockerEngine

MIB = 1024**2
SHOP = App(7, AppName("shop"), datetime(2026, 1, 31, tzinfo=UTC), AppSettings(), {})
BLOG = AppName("blog")
DATA = DiskName("data")
UPLOADS = DiskName("uploads")


@dataclass(frozen=True)
class Machine:
    """A root on a file system where new limited disks are of ``kind``."""

    kind: str
    root: Path

    @property
    def disks(self) -> Directories:
        """As a server that has just started has them."""
        return Directories(self.root)

    @property
    def path(self) -> Path:
        return self.disks.path(SHOP.name, DATA)

    @property
    def image(self) -> Path:
        return self.path.with_name(".data.ext4")

    def make(self, size_bytes: int | None = None, **files: str) -> Directories:
        """The disk ``data`` with files of the app's."""
        disks = self.disks
        disks.ensure(SHOP, DATA)
        for name, text in files.items():
            (self.path / name).write_text(text)
            os.chown(self.path / name, SHOP.uid, SHOP.uid)
        if size_bytes:
            disks.quota.set_limit(SHOP.name, DATA, size_bytes)
        return disks

    def boot(self) -> None:
        """What a power cut does to mounts."""
        for point in mounts.below(self.root / "shop"):
            subprocess.run(["umount", point], check=True)


@pytest.fixture(params=["btrfs", "loopfile"])
def machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    kind = str(request.param)
    _refuse_elsewhere(kind)
    place = tmp_path / "place"
    place.mkdir()
    try:
        if kind == "btrfs":
            _mount_btrfs(tmp_path / "btrfs.img", place)
        elif mounts.containing(place).kind == "btrfs":
            pytest.skip("new disks are subvolumes here")
        yield Machine(kind, place / "disks")
    finally:
        _clear(place)


@pytest.fixture
def loop(tmp_path: Path) -> Iterator[Machine]:
    """For what only a disk that is an image does."""
    _refuse_elsewhere("loopfile")
    if mounts.containing(tmp_path).kind == "btrfs":
        pytest.skip("new disks are subvolumes here")
    try:
        yield Machine("loopfile", tmp_path / "disks")
    finally:
        _clear(tmp_path)


def _refuse_elsewhere(kind: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    if not Path("/dev/loop-control").exists() or not mounts.shares_them_with_the_machine():
        pytest.skip("there are no loop devices here")
    if found("mkfs.ext4") is None:
        pytest.skip("e2fsprogs is missing")
    if kind == "btrfs" and found("mkfs.btrfs") is None:
        pytest.skip("btrfs-progs is missing")


def _mount_btrfs(image: Path, place: Path) -> None:
    with image.open("wb") as file:
        file.truncate(400 * MIB)
    made = subprocess.run(["mkfs.btrfs", "--quiet", "--mixed", str(image)], check=False)
    mounted = subprocess.run(["mount", "-o", "loop", str(image), str(place)], check=False)
    if made.returncode or mounted.returncode:
        pytest.skip("btrfs does not work here")


def _clear(place: Path) -> None:
    """Nothing stays mounted, whatever the test has left, nor anything that pytest cannot remove."""
    for point in mounts.below(place):
        subprocess.run(["umount", "--lazy", point], check=True)
    for path in place.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            unseal(path)


def write_as_app(path: Path, size_bytes: int) -> int:
    """Write a file as the app does, until it is whole or refused: the bytes that are safe."""
    script = (
        "import os, sys\n"
        "path, wanted, uid = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])\n"
        "place = os.open(os.path.dirname(path), os.O_RDONLY)\n"
        "os.setgroups([]); os.setgid(uid); os.setuid(uid)\n"
        "file = os.open(os.path.basename(path), os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=place)\n"
        "done = 0\n"
        "try:\n"
        "    while done < wanted:\n"
        "        done += os.write(file, os.urandom(min(wanted - done, 1 << 16)))\n"
        "        os.fsync(file)\n"
        "except OSError as error:\n"
        "    print(done, error.errno)\n"
        "else:\n"
        "    print(done, 0)\n"
    )
    words = [sys.executable, "-c", script, str(path), str(size_bytes), str(SHOP.uid)]
    ended = subprocess.run(words, capture_output=True, text=True, check=True)
    done, number = map(int, ended.stdout.split())
    assert number in {0, errno.ENOSPC, errno.EDQUOT}
    assert (number == 0) == (done == size_bytes)
    return done


# --------------------------------------------------------------------------- every kind


def test_app_can_fill_its_disk_to_the_limit_and_no_further(machine: Machine) -> None:
    disks = machine.make(32 * MIB)
    written = write_as_app(machine.path / "file", 64 * MIB)
    # btrfs keeps a little back for what it still has to write down
    assert written >= (32 if machine.kind == "loopfile" else 24) * MIB
    assert written <= 36 * MIB

    usage = disks.quota.usage(SHOP.name, DATA)
    assert usage.limit_bytes == 32 * MIB
    assert abs(usage.used_bytes - written) < MIB
    assert usage.free_bytes < 8 * MIB
    assert disks.used_bytes(SHOP.name, DATA) == usage.used_bytes
    assert write_as_app(machine.disks.ensure(SHOP, UPLOADS) / "file", 2 * MIB) == 2 * MIB


def test_disk_with_data_is_limited_with_everything_as_it_was(machine: Machine) -> None:
    disks = machine.make(note="kept")
    path = machine.path
    (path / "below").mkdir(mode=0o750)
    (path / "link").symlink_to("note")
    os.link(path / "note", path / "the same note")
    with (path / "sparse").open("wb") as sparse:
        sparse.truncate(1024**3)
    os.utime(path / "note", (1, 2))

    def seen() -> dict[str, object]:
        found = {each.name: each.lstat() for each in path.iterdir()} | {".": path.stat()}
        return {
            name: (stat.filemode(each.st_mode), each.st_uid, each.st_gid, each.st_mtime_ns)
            for name, each in found.items()
        }

    before = seen()
    disks.quota.set_limit(SHOP.name, DATA, 32 * MIB)
    assert disks.quota.limit_of(SHOP.name, DATA) == 32 * MIB
    assert seen() == before
    assert (path / "note").read_text() == "kept"
    assert (path / "note").stat().st_nlink == 2
    assert disks.list(SHOP.name) == [DATA]
    disks.quota.set_limit(SHOP.name, DATA, None)
    assert disks.quota.limit_of(SHOP.name, DATA) is None
    assert seen() == before
    assert {each.name for each in path.parent.iterdir()} == {"data"}


def test_new_disk_is_empty_and_its_app_may_write(machine: Machine) -> None:
    machine.make(LEAST_BYTES)
    assert list(machine.path.iterdir()) == []
    assert write_as_app(machine.path / "file", 1000) == 1000


def test_grown_disk_keeps_its_data_and_takes_more(machine: Machine) -> None:
    disks = machine.make(LEAST_BYTES, note="kept")
    disks.quota.set_limit(SHOP.name, DATA, 64 * MIB)
    assert (machine.path / "note").read_text() == "kept"
    assert disks.quota.limit_of(SHOP.name, DATA) == 64 * MIB
    assert write_as_app(machine.path / "file", 40 * MIB) == 40 * MIB


def test_disk_in_use_grows_where_the_kernel_lets_us(machine: Machine) -> None:
    disks = machine.make(LEAST_BYTES, note="kept")
    with namespace_that_has(machine.path), (machine.path / "held").open("w") as held:
        if machine.kind == "btrfs" or loopfile.may_grow_mounted():
            disks.quota.set_limit(SHOP.name, DATA, 64 * MIB)
        else:
            with pytest.raises(UserError, match="lacks CAP_SYS_RESOURCE"):
                disks.quota.set_limit(SHOP.name, DATA, 64 * MIB)
        held.write("still open")
    disks.quota.set_limit(SHOP.name, DATA, 64 * MIB)
    assert (machine.path / "held").read_text() == "still open"
    assert write_as_app(machine.path / "file", 40 * MIB) == 40 * MIB


def test_limit_below_what_is_there_is_refused(machine: Machine) -> None:
    disks = machine.make()
    write_as_app(machine.path / "file", 20 * MIB)
    with pytest.raises(UserError, match=r"holds 20\.. MB, more than 16\.0 MB"):
        disks.quota.set_limit(SHOP.name, DATA, LEAST_BYTES)
    assert disks.quota.limit_of(SHOP.name, DATA) is None

    disks.quota.set_limit(SHOP.name, DATA, 64 * MIB)
    with pytest.raises(UserError):
        disks.quota.set_limit(SHOP.name, DATA, LEAST_BYTES)
    assert disks.quota.limit_of(SHOP.name, DATA) == 64 * MIB
    assert (machine.path / "file").stat().st_size == 20 * MIB


def test_limits_that_make_no_sense_are_refused(machine: Machine) -> None:
    disks = machine.make()
    with pytest.raises(UserError, match=r"16\.0 MB at least"):
        disks.quota.set_limit(SHOP.name, DATA, LEAST_BYTES - 1)
    with pytest.raises(UserError, match="shop has no disk uploads"):
        disks.quota.set_limit(SHOP.name, UPLOADS, LEAST_BYTES)
    disks.quota.set_limit(SHOP.name, DATA, None)


def test_limited_disk_is_there_after_a_boot(machine: Machine) -> None:
    machine.make(32 * MIB, note="kept")
    machine.boot()
    assert machine.disks.quota.ensure_all() in ([], [(SHOP.name, DATA)])
    assert machine.disks.quota.ensure_all() == []
    assert (machine.path / "note").read_text() == "kept"
    assert machine.disks.quota.limit_of(SHOP.name, DATA) == 32 * MIB
    assert machine.disks.quota.check() == []


def test_renamed_app_takes_its_limited_disks_along(machine: Machine) -> None:
    disks = machine.make(32 * MIB, note="kept")
    with (machine.path / "log").open("w") as held:
        disks.rename(SHOP.name, BLOG)
        held.write("still the same disk")
    there = disks.path(BLOG, DATA)
    assert (there / "log").read_text() == "still the same disk"
    assert (there / "note").read_text() == "kept"
    disks.quota.set_limit(BLOG, DATA, 64 * MIB)
    assert (disks.list(BLOG), disks.list(SHOP.name)) == ([DATA], [])
    disks.destroy_all(BLOG)
    assert not there.parent.exists()


def test_destroyed_disk_leaves_nothing(machine: Machine) -> None:
    disks = machine.make(32 * MIB, note="gone")
    disks.ensure(SHOP, UPLOADS)
    with (machine.path / "note").open():
        disks.destroy(SHOP.name, DATA)
        assert {each.name for each in machine.path.parent.iterdir()} == {"uploads"}
    disks.quota.set_limit(SHOP.name, UPLOADS, LEAST_BYTES)
    disks.destroy_all(SHOP.name)
    assert list(machine.root.iterdir()) == []
    assert mounts.below(machine.root) == []


def test_full_disk_is_warned_of(machine: Machine) -> None:
    disks = machine.make(32 * MIB)
    write_as_app(machine.path / "file", 28 * MIB)
    [said] = [said for said in disks.quota.check() if "disk data of shop" in said]
    assert "filling up" in said or "nearly full" in said


def test_disk_that_a_container_has_is_not_copied_behind_its_back(machine: Machine) -> None:
    disks = machine.make(note="kept")
    with namespace_that_has(machine.path), pytest.raises(UserError, match="disk data is in use"):
        disks.quota.set_limit(SHOP.name, DATA, 32 * MIB)
    assert disks.quota.limit_of(SHOP.name, DATA) is None
    disks.quota.set_limit(SHOP.name, DATA, 32 * MIB)
    assert (machine.path / "note").read_text() == "kept"


class namespace_that_has:  # noqa: N801 - reads as a sentence
    """A process with mounts of its own, among them a bind mount of ``path``, as a container has."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        place = self._path.parent.parent / "elsewhere"
        place.mkdir(exist_ok=True)
        script = 'mount --bind "$1" "$2" && umount --lazy "$1" 2>/dev/null; echo ready; exec cat'
        self._process = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", script, "sh", str(self._path), str(place)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


# --------------------------------------------------------------------------- kills

KILLS = [
    ("btrfs", 32 * MIB, "btrfs", 1),
    ("btrfs", 32 * MIB, "btrfs", 3),
    ("btrfs", 32 * MIB, "cp", 1),
    ("btrfs", 32 * MIB, "rm", 1),
    ("loopfile", 32 * MIB, "mkfs.ext4", 1),
    ("loopfile", 32 * MIB, "mount", 1),
    ("loopfile", 32 * MIB, "cp", 1),
    ("loopfile", 32 * MIB, "umount", 1),
    ("loopfile", 32 * MIB, "rm", 1),
    ("loopfile", 32 * MIB, "mount", 2),
    ("loopfile", None, "cp", 1),
    ("loopfile", None, "umount", 1),
    ("loopfile", None, "rm", 1),
]
"""A kind, the size to get, and at which call of which program the server is killed."""


@pytest.mark.parametrize(("machine", "wanted", "program", "call"), KILLS, indirect=["machine"])
def test_kill_in_a_conversion_leaves_the_data_whole(
    machine: Machine, tmp_path: Path, wanted: int | None, program: str, call: int
) -> None:
    machine.make(None if wanted else 32 * MIB, note="kept", other="x" * 100_000)

    killed_in(machine, tmp_path, program, call, wanted)

    machine.boot()
    disks = machine.disks
    disks.quota.ensure_all()
    assert (machine.path / "note").read_text() == "kept"
    assert (machine.path / "other").read_text() == "x" * 100_000
    assert machine.path.stat().st_uid == SHOP.uid
    assert {each.name for each in machine.path.parent.iterdir()} <= {"data", ".data.ext4"}
    disks.quota.set_limit(SHOP.name, DATA, wanted)
    assert disks.quota.limit_of(SHOP.name, DATA) == wanted
    assert (machine.path / "note").read_text() == "kept"


def test_kill_between_the_last_two_renames_puts_the_data_back(machine: Machine) -> None:
    machine.make(note="kept")
    machine.path.rename(machine.path.with_name(".data.spare"))
    machine.path.with_name(".data.making").mkdir()
    assert machine.disks.ensure(SHOP, DATA) == machine.path
    assert (machine.path / "note").read_text() == "kept"
    machine.disks.quota.ensure_all()
    assert {each.name for each in machine.path.parent.iterdir()} == {"data"}


def killed_in(
    machine: Machine, tmp_path: Path, program: str, call: int, wanted: int | None
) -> None:
    """Run the conversion in a process that dies when the program runs for that time."""
    place = tmp_path / "bin"
    place.mkdir()
    real = found(program)
    if real is None:
        pytest.skip(f"{program} is missing")
    script = place / program
    script.write_text(
        f"#!/bin/sh\necho >>{place}/calls\n"
        f'if [ "$(wc -l <{place}/calls)" = {call} ]; then\n'
        f'    [ {program} = cp ] && {real} "${{4%.}}note" "$5"\n'
        f'    kill -9 $PPID; exit 1\nfi\nexec {real} "$@"\n'
    )
    script.chmod(0o755)
    convert = (
        "import sys; from pathlib import Path\n"
        "from pushdeploy.disks.directories import Directories\n"
        "size = int(sys.argv[2]) or None\n"
        "Directories(Path(sys.argv[1])).quota.set_limit('shop', 'data', size)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", convert, str(machine.root), str(wanted or 0)],
        env={**os.environ, "PATH": f"{place}:{os.environ['PATH']}"},
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL


# --------------------------------------------------------------------------- images


def test_server_that_is_down_after_a_boot_keeps_apps_from_writing_below_the_disk(
    loop: Machine,
) -> None:
    loop.make(LEAST_BYTES, note="kept")
    loop.boot()
    assert is_sealed(loop.path)
    with pytest.raises(PermissionError):
        (loop.path / "lost").touch()
    assert loop.disks.list(SHOP.name) == [DATA]

    assert loop.disks.quota.check() == ["disk data of shop is not mounted"]
    assert loop.disks.ensure(SHOP, DATA) == loop.path
    assert (loop.path / "note").read_text() == "kept"


def test_files_in_the_way_of_a_mount_are_refused_and_stay(loop: Machine) -> None:
    loop.make(LEAST_BYTES)
    loop.boot()
    unseal(loop.path)
    (loop.path / "restored by hand").touch()
    with pytest.raises(BackendDown, match="there are files in"):
        loop.disks.ensure(SHOP, DATA)
    assert loop.disks.quota.ensure_all() == []
    assert (loop.path / "restored by hand").exists()


def test_disk_is_mounted_again_from_the_device_that_a_container_still_has(loop: Machine) -> None:
    loop.make(LEAST_BYTES)
    before = mounts.mounted_at(loop.path)
    with namespace_that_has(loop.path):
        loop.boot()
        assert loop.disks.quota.ensure_all() == [(SHOP.name, DATA)]
        assert mounts.mounted_at(loop.path) == before
        with pytest.raises(UserError, match="in use"):
            loop.disks.quota.set_limit(SHOP.name, DATA, None)


@pytest.mark.parametrize("size_bytes", [16, 100, 255, 256, 1000, 4096, 5000, 10_240, 100_000])
def test_all_of_the_size_can_be_used(loop: Machine, size_bytes: int) -> None:
    loop.make(size_bytes * MIB)
    seen = os.statvfs(loop.path)
    usable = seen.f_bavail * seen.f_frsize
    assert size_bytes * MIB <= usable < size_bytes * MIB * 1.02 + 8 * MIB
    assert loop.image.stat().st_blocks * 512 < 100 * MIB


def test_disk_grows_a_thousandfold(loop: Machine) -> None:
    disks = loop.make(LEAST_BYTES)
    disks.quota.set_limit(SHOP.name, DATA, LEAST_BYTES * 1000)
    assert os.statvfs(loop.path).f_bavail * 4096 >= LEAST_BYTES * 1000


def test_growth_cut_short_is_done_again(loop: Machine) -> None:
    disks = loop.make(LEAST_BYTES)
    os.truncate(loop.image, 200 * MIB)
    loop.boot()
    disks.quota.set_limit(SHOP.name, DATA, 64 * MIB)
    assert os.statvfs(loop.path).f_bavail * 4096 >= 64 * MIB


def test_deleted_files_give_their_room_back_to_the_server(loop: Machine) -> None:
    loop.make(64 * MIB)
    write_as_app(loop.path / "file", 40 * MIB)
    loop.boot()
    loop.disks.ensure(SHOP, DATA)
    assert loop.image.stat().st_blocks * 512 > 40 * MIB
    (loop.path / "file").unlink()
    subprocess.run(["sync", "--file-system", loop.path], check=True)
    loop.boot()
    assert loop.image.stat().st_blocks * 512 < 10 * MIB


def test_more_promised_than_there_is_is_told(loop: Machine) -> None:
    disks = loop.make(shutil.disk_usage(loop.root.parent).free * 2)
    [said] = disks.quota.check()
    assert "may grow by" in said


def test_disks_of_many_apps_are_mounted_at_once(loop: Machine) -> None:
    apps = [AppName(f"app-{number}") for number in range(12)]
    disks = loop.disks
    for number, app in enumerate(apps):
        disks.ensure(App(number, app, SHOP.created_at, AppSettings(), {}), DATA)
        disks.quota.set_limit(app, DATA, LEAST_BYTES)
    for point in mounts.below(loop.root):
        subprocess.run(["umount", point], check=True)
    assert sorted(loop.disks.quota.ensure_all()) == sorted((app, DATA) for app in apps)
    devices = {mounts.containing(disks.path(app, DATA)).device for app in apps}
    assert len(devices) == len(apps)


def test_one_broken_disk_does_not_keep_the_others_from_being_mounted(loop: Machine) -> None:
    disks = loop.make()
    disks.ensure(SHOP, UPLOADS)
    disks.quota.set_limit(SHOP.name, UPLOADS, LEAST_BYTES)
    loop.boot()
    loop.image.write_bytes(b"no file system")
    assert loop.disks.quota.ensure_all() == [(SHOP.name, UPLOADS)]
    with pytest.raises(BackendDown, match="cannot be used"):
        loop.disks.ensure(SHOP, DATA)


@pytest.mark.docker
def test_container_writes_to_its_limited_disk_until_it_is_full(
    loop: Machine, engine: DockerEngine, tiny_image: str
) -> None:
    disks = loop.make(LEAST_BYTES, note="kept")
    wait = "until [ -e /data/go ]; do sleep 0.1; done"
    script = f"echo $(cat /data/note); {wait}; yes >/data/full || exit 7"
    container = engine.create(
        ContainerSpec(
            image=tiny_image,
            name=f"limited-{secrets.token_hex(6)}",
            labels={},
            command=["/bin/sh", "-c", script],
            entrypoint=[],
            user=f"{SHOP.uid}:{SHOP.uid}",
            mounts=[(str(disks.ensure(SHOP, DATA)), "/data")],
        )
    )
    engine.start(container)
    with pytest.raises(UserError, match="in use"):
        disks.quota.set_limit(SHOP.name, DATA, None)
    if loopfile.may_grow_mounted():
        disks.quota.set_limit(SHOP.name, DATA, 32 * MIB)
    disks.rename(SHOP.name, BLOG)
    (disks.path(BLOG, DATA) / "go").touch()

    assert engine.wait(container) == 7
    with engine.logs(container) as lines:
        said = [line.text for line in lines]
    assert said[0] == "kept"
    assert "No space left on device" in said[-1]
    assert (disks.path(BLOG, DATA) / "full").stat().st_size >= 15 * MIB
    assert disks.quota.usage(BLOG, DATA).free_bytes == 0
    engine.remove(container)
    disks.quota.set_limit(BLOG, DATA, None)
