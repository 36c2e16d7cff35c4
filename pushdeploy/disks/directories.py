"""Disks as directories of the host, ``<root>/<app>/<disk>``, each the property of its app's uid."""

import errno
import os
import stat
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pushdeploy.domain.app import FIRST_UID, App
from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.errors import BackendDown, UserError
from pushdeploy.domain.manifest import Mount
from pushdeploy.domain.names import AppName, DiskName

_MODE = 0o2770
"""Of the app alone; what others of its group make in it stays the group's."""


class Directories:
    """What a container writes is never trusted: a symlink is not followed, nor counted."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    def path(self, app: AppName, disk: DiskName) -> Path:
        """Where the disk is, or would be."""
        return self._root / app / disk

    def ensure(self, app: App, disk: DiskName) -> Path:
        """The disk's directory, made for the app's uid when it is missing; its data stays.

        What a destroyed app of the same name has left is handed over, for this one has another
        uid. Called under the app's lock.
        """
        path = self.path(app.name, disk)
        with _our_errors(path):
            if not _disk_exists(path):
                _make(path, app.uid)
            elif (former := path.stat().st_gid) != app.uid and former >= FIRST_UID:
                _hand_over(path, former, app.uid)
        return path

    def mounts(self, app: App, attachments: Sequence[Attachment]) -> Sequence[Mount]:
        """Where the containers of the app see its disks, all of which exist afterwards."""
        return [
            Mount(str(self.ensure(app, attachment.disk)), attachment.mount_path)
            for attachment in attachments
        ]

    def used_bytes(self, app: AppName, disk: DiskName) -> int:
        """As ``du`` counts: blocks, a file with several names once. 0 when there is no disk."""
        path = self.path(app, disk)
        with _our_errors(path):
            return _used_bytes(path) if _disk_exists(path) else 0

    def list(self, app: AppName) -> Sequence[DiskName]:
        """Every disk that the app has data on, detached ones too, by name."""
        place = self._root / app
        with _our_errors(place):
            found = sorted(place.iterdir()) if _exists(place) else []
            return [DiskName(path.name) for path in found if _is_disk(path)]

    def rename(self, app: AppName, new: AppName) -> None:
        """The directories move along; ``UserError`` when there are disks of that name already.

        Running containers go on with the same data, for a bind mount holds the directory itself
        and not its path; only those started afterwards need the new one.
        """
        old_place, new_place = self._root / app, self._root / new
        with _our_errors(old_place):
            if not _exists(old_place):
                return
            if os.path.lexists(new_place):
                raise UserError(f"there are disks of an app {new} already", f"disks:list {new}")
            old_place.rename(new_place)

    def destroy(self, app: AppName, disk: DiskName) -> None:
        """The disk and its data are gone for good; nothing happens when there is none."""
        path = self.path(app, disk)
        with _our_errors(path):
            if _disk_exists(path):
                _remove(path)

    def destroy_all(self, app: AppName) -> None:
        """Every disk of the app, attached or not."""
        place = self._root / app
        with _our_errors(place):
            if _exists(place):
                _remove(place)


def _disk_exists(path: Path) -> bool:
    return _exists(path.parent) and _exists(path)


def _exists(path: Path) -> bool:
    """Whether the directory is there; anything else in its place is refused."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return False
    if not stat.S_ISDIR(mode):
        raise OSError(errno.ENOTDIR, "it is not a directory of its own")
    return True


def _make(path: Path, uid: int) -> None:
    """Made beside and renamed when it is right: one cut short is never taken for a disk."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".new-", dir=path.parent))
    if os.geteuid() == 0:
        os.chown(made, uid, uid)
    made.chmod(_MODE)
    made.rename(path)


def _hand_over(path: Path, former: int, uid: int) -> None:
    """By chown, the directory itself last: one cut short is done again. Links are not followed."""
    for old, new in ((f"{former}", f"{uid}:{uid}"), (f":{former}", f":{uid}")):
        _run("chown", "--recursive", "--no-dereference", f"--from={old}", "--", new, str(path))


def _is_disk(path: Path) -> bool:
    return DiskName.fits(path.name) and stat.S_ISDIR(path.lstat().st_mode)


def _used_bytes(path: Path) -> int:
    """By du, which no depth of directories breaks; files that vanish meanwhile do not matter."""
    counted = subprocess.run(
        ["du", "--summarize", "--block-size=1", "--one-file-system", "--", str(path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return int(counted.stdout.split()[0]) if counted.stdout else 0


def _remove(path: Path) -> None:
    """By rm, for the same reason; what is mounted below is left alone, and said."""
    _run("rm", "--recursive", "--force", "--one-file-system", "--", str(path))


def _run(*command: str) -> None:
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if ended.returncode:
        raise OSError(errno.EIO, ended.stderr.decode(errors="replace").strip()[:200])


@contextmanager
def _our_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BackendDown(
            f"the disk {path} cannot be used: {error.strerror}", "look at it on the server"
        ) from error
