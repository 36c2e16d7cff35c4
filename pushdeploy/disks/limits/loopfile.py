"""An ext4 file system in a sparse file beside a disk's directory, ``.data.ext4``, limits the disk.

While the file is there it is the disk, and the directory is nothing but where it is mounted. Its
label holds the size that was asked for. Containers keep their view of it when it is mounted again,
for one loop device serves all mounts of a file.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from pushdeploy.disks import conversion, mounts
from pushdeploy.disks.durable import flush
from pushdeploy.disks.programs import run
from pushdeploy.domain.disk import Usage
from pushdeploy.domain.errors import BackendDown, UserError
from pushdeploy.domain.sizes import about_bytes

_MIB = 1024**2
_LOOP_CONTROL = Path("/dev/loop-control")
_OPTIONS = "loop,nosuid,nodev,discard,noinit_itable,errors=remount-ro"
"""``noinit_itable``: a sparse file is zeroed already."""

_BLOCK, _INODE, _BYTES_PER_INODE = 4096, 256, 16_384
_SUPERBLOCK, _LABEL, _LABEL_BYTES = 1024, 0x78, 16
"""Of ext4(5): where the label lies."""

_RELEASE_SECONDS = 5

_CAP_SYS_RESOURCE = 24
"""capabilities(7)."""


class LoopFile:
    """This kind needs root, e2fsprogs and loop devices."""

    name = "ext4 file"
    order = 20

    def suits(self, root: Path) -> bool:  # noqa: ARG002 - any file system holds files
        return True

    def holds(self, path: Path) -> bool:
        return _image(path).is_file()

    def ensure(self, path: Path) -> bool:
        if mounts.mounted_at(path):
            return False
        _ready_to_mount()
        _make_mount_point(path)
        try:
            _mount(_image(path), path)
        except OSError:
            run("e2fsck", "-p", str(_image(path)), also=1)
            _mount(_image(path), path)
        return True

    def limit_of(self, path: Path) -> int | None:
        """Ask the device where there is one: its last writes may not be in the file yet."""
        mounted = mounts.mounted_at(path)
        with Path(mounted.source if mounted else _image(path)).open("rb") as file:
            file.seek(_SUPERBLOCK + _LABEL)
            label = file.read(_LABEL_BYTES).rstrip(b"\0")
        return int(label) if label.isdigit() else None

    def usage(self, path: Path) -> Usage:
        self.ensure(path)
        found, limit = os.statvfs(path), self.limit_of(path)
        total = found.f_blocks * found.f_frsize
        used = (found.f_blocks - found.f_bfree) * found.f_frsize
        free = found.f_bavail * found.f_frsize
        if limit is not None:  # the file system is a little larger, to hold all of it
            free = max(0, min(free, limit - used))
        return Usage(used, total if limit is None else limit, free, total, self.name)

    def limit(self, path: Path, size_bytes: int) -> None:
        _ready_to_mount()
        if self.holds(path):
            self._grow(path, size_bytes)
        else:
            self._convert(path, size_bytes)

    def lift(self, path: Path) -> None:
        self.ensure(path)
        conversion.refuse_without_room(path)
        with conversion.workshop(path, lambda: self.holds(path)):
            conversion.spare(path).mkdir(mode=0o700)
            conversion.copy(path, conversion.spare(path))
            run("umount", "--", str(path))
            _image(path).unlink()  # from here on the copy is the disk

    def destroy(self, path: Path) -> None:
        """Remove the file; containers that still have it keep it until they end."""
        for point in mounts.below(path):
            run("umount", "--lazy", "--", point)
        _image(path).unlink()
        if os.path.lexists(path):
            conversion.unseal(path)
            path.rmdir()

    def trouble(self, path: Path) -> str:
        mounted = mounts.mounted_at(path)
        if mounted is None:
            return "is not mounted"
        device = Path(os.path.realpath(mounted.source)).name
        with suppress(OSError, ValueError):
            errors = int(Path(f"/sys/fs/ext4/{device}/errors_count").read_text())
            return f"had {errors} errors in its file system" if errors else ""
        return ""

    def growth_bytes(self, path: Path) -> int:
        found = _image(path).stat()
        return max(0, found.st_size - found.st_blocks * 512)

    def _grow(self, path: Path, size_bytes: int) -> None:
        """While containers use it, where the kernel lets us. The label comes last: one cut short
        is done again."""
        self.ensure(path)
        present, mounted = self.limit_of(path) or 0, mounts.mounted_at(path)
        if size_bytes < present:
            raise UserError(
                f"disk {path.name} has {about_bytes(present)}, and a disk can grow but not shrink",
                "take its limit away, then give it the smaller one",
            )
        if size_bytes == present or mounted is None:
            return
        if may_grow_mounted():
            _grow_file(_image(path), size_bytes)
            run("losetup", "--set-capacity", mounted.source)
            _grow_file_system(mounted.source, size_bytes)
        else:
            self._grow_unmounted(path, size_bytes)

    def _grow_unmounted(self, path: Path, size_bytes: int) -> None:
        if mounts.is_held_elsewhere(path):
            raise UserError(
                f"disk {path.name} is in use, and the server may not let it grow meanwhile:"
                " it lacks CAP_SYS_RESOURCE",
                f"ps:stop {path.parent.name}, and again",
            )
        run("umount", "--", str(path))
        try:
            with _device(_image(path), size_bytes) as device:
                run("e2fsck", "-f", "-p", device, also=1)
                _grow_file_system(device, size_bytes)
        finally:
            self.ensure(path)

    def _convert(self, path: Path, size_bytes: int) -> None:
        conversion.refuse_without_room(path, size_bytes)
        with conversion.workshop(path, lambda: self.holds(path)) as workshop:
            image = workshop / "image"
            _make(image, size_bytes)
            with _mounted(image, workshop / "mount") as inside:
                conversion.copy(path, inside)
            flush(image)
            path.rename(conversion.spare(path))
            image.rename(_image(path))  # from here on the image is the disk
            flush(path.parent)
        self.ensure(path)


LIMIT = LoopFile()


def image_bytes(size_bytes: int) -> int:
    """Compute the size of a file whose file system has room for ``size_bytes``.

    Above them come inodes, the copies of the group descriptors with room to grow (at most 48 MB),
    the journal, what ext4 keeps back from everybody (2 %, at most 16 MB), and 2 MB for the rest.
    """
    inodes = size_bytes // (_BYTES_PER_INODE // _INODE - 2)
    descriptors = min(size_bytes // 100, 48 * _MIB)
    kept_back = min(size_bytes // 50, 16 * _MIB)
    above = inodes + descriptors + _journal_bytes(size_bytes) + kept_back + 2 * _MIB
    return -(-(size_bytes + above) // _MIB) * _MIB


def _journal_bytes(size_bytes: int) -> int:
    if size_bytes < 256 * _MIB:
        return 4 * _MIB
    return 16 * _MIB if size_bytes < 4096 * _MIB else 64 * _MIB


def _image(path: Path) -> Path:
    return path.with_name(f".{path.name}.ext4")


def _make(image: Path, size_bytes: int) -> None:
    """A file system without a reserve for root, in blocks of 4 KB however small it is."""
    with image.open("xb") as file:
        file.truncate(image_bytes(size_bytes))
    image.chmod(0o600)
    layout = ("-b", f"{_BLOCK}", "-I", f"{_INODE}", "-i", f"{_BYTES_PER_INODE}", "-m", "0")
    journal = ("-J", f"size={_journal_bytes(size_bytes) // _MIB}")
    run("mkfs.ext4", "-q", "-F", *layout, *journal, "-L", str(size_bytes), str(image))


def _grow_file(image: Path, size_bytes: int) -> None:
    if image.stat().st_size < (wanted := image_bytes(size_bytes)):
        os.truncate(image, wanted)


@contextmanager
def _device(image: Path, size_bytes: int) -> Iterator[str]:
    """The one device of the image, grown, while nobody at all has it mounted."""
    _grow_file(image, size_bytes)
    device = run("losetup", "--nooverlap", "--find", "--show", "--", str(image)).strip()
    try:
        run("losetup", "--set-capacity", device)
        _wait_until_free(device)
        yield device
    finally:
        run("losetup", "--detach", device)


def _wait_until_free(device: str) -> None:
    """A container that is just being started has a copy of every mount for a moment."""
    deadline = time.monotonic() + _RELEASE_SECONDS
    while True:
        try:
            os.close(os.open(device, os.O_RDONLY | os.O_EXCL))  # refused while it is mounted
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _grow_file_system(device: str, size_bytes: int) -> None:
    run("resize2fs", device)
    run("tune2fs", "-L", str(size_bytes), device)


def may_grow_mounted() -> bool:
    """Tell whether this process has CAP_SYS_RESOURCE, which ext4 asks for."""
    status = Path("/proc/self/status").read_text()
    effective = next(line for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(int(effective.split()[1], 16) >> _CAP_SYS_RESOURCE & 1)


@contextmanager
def _mounted(image: Path, point: Path) -> Iterator[Path]:
    point.mkdir()
    _mount(image, point)
    try:
        yield point
    finally:
        run("umount", "--", str(point))


def _mount(image: Path, point: Path) -> None:
    """What e2fsck finds and nobody misses goes: a database wants an empty directory."""
    run("mount", "-t", "ext4", "-o", _OPTIONS, "--", str(image), str(point))
    with suppress(OSError):
        (point / "lost+found").rmdir()


def _make_mount_point(path: Path) -> None:
    if not os.path.lexists(path):
        path.mkdir(mode=0o700)
    elif any(path.iterdir()):
        raise BackendDown(
            f"there are files in {path}, where {_image(path).name} is to be mounted",
            f"look at them, and move them out of {path}",
        )
    if not conversion.is_sealed(path):
        conversion.seal(path)


def _ready_to_mount() -> None:
    """Raise ``BackendDown`` where nothing can be mounted so that containers see it."""
    if os.geteuid() != 0:
        raise BackendDown("only root can mount a disk with a size", "sudo pushdeploy serve")
    if not _LOOP_CONTROL.exists():
        raise BackendDown("this server has no loop devices for disks with a size", "modprobe loop")
    if not mounts.shares_them_with_the_machine():
        raise BackendDown(
            "what this server mounts is hidden from Docker: it has mounts of its own",
            "remove PrivateMounts= and the like from its systemd unit",
        )
