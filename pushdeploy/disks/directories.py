"""Disks are directories of the host, ``<root>/<app>/<disk>``, which their app's uid owns."""

import errno
import os
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pushdeploy.disks.programs import our_errors, remove, run
from pushdeploy.disks.quota import Quota
from pushdeploy.domain.app import FIRST_UID, App
from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.manifest import Mount
from pushdeploy.domain.names import AppName, DiskName

_MODE = 0o2770
"""Of the app alone; what others of its group make in it stays the group's."""


class Directories:
    """A container's files are never trusted: a symlink is not followed, nor counted.

    ``quota`` gives them sizes; those that have one are mounted wherever they are asked for.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()
        self.quota = Quota(self._root)

    def path(self, app: AppName, disk: DiskName) -> Path:
        """Return the path where the disk is, or would be."""
        return self._root / app / disk

    def ensure(self, app: App, disk: DiskName) -> Path:
        """Return the disk's directory, made for the app's uid when it is missing; its data stays.

        What a destroyed app of the same name has left is handed over, for this one has another
        uid. Called under the app's lock.
        """
        path = self.path(app.name, disk)
        self.quota.ensure(app.name, disk)
        with our_errors(path):
            if not _disk_exists(path):
                _make(path, app.uid)
            elif (former := path.stat().st_gid) != app.uid and former >= FIRST_UID:
                _hand_over(path, former, app.uid)
        return path

    def mounts(self, app: App, attachments: Sequence[Attachment]) -> Sequence[Mount]:
        """Make sure that the disks exist, and return their mounts in the app's containers."""
        return [
            Mount(str(self.ensure(app, attachment.disk)), attachment.mount_path)
            for attachment in attachments
        ]

    def used_bytes(self, app: AppName, disk: DiskName) -> int:
        """Count the blocks of the disk; a file with several names counts once.

        0 when there is no disk.
        """
        path = self.path(app, disk)
        with our_errors(path):
            return self.quota.usage(app, disk).used_bytes if _disk_exists(path) else 0

    def has_data(self, app: AppName, disk: DiskName) -> bool:
        """Tell whether anything is on the disk."""
        path = self.path(app, disk)
        with our_errors(path):
            if not _disk_exists(path):
                return False
            self.quota.ensure(app, disk)
            return any(path.iterdir())

    def list(self, app: AppName) -> Sequence[DiskName]:
        """List every disk that the app has data on, detached ones too, by name."""
        place = self._root / app
        with our_errors(place):
            found = sorted(place.iterdir()) if _exists(place) else []
            return [DiskName(path.name) for path in found if _is_disk(path)]

    def refuse_missing(self, app: AppName, *disks: DiskName) -> None:
        """Raise ``UserError`` where the app has no data on one of ``disks``."""
        there = self.list(app) if disks else ()
        for disk in disks:
            if disk not in there:
                raise UserError(f"{app} has no disk {disk}", f"disks:list {app}")

    def rename(self, app: AppName, new: AppName) -> None:
        """Move the directories along, or raise ``UserError`` when the new name has disks already.

        Running containers go on with the same data, for a bind mount holds the directory itself
        and not its path; only those started afterwards need the new one. Mounts move along too.
        """
        old_place, new_place = self._root / app, self._root / new
        with our_errors(old_place):
            if not _exists(old_place):
                return
            if os.path.lexists(new_place):
                raise UserError(f"there are disks of an app {new} already", f"disks:list {new}")
            old_place.rename(new_place)

    def destroy(self, app: AppName, disk: DiskName) -> None:
        """Remove the disk and its data for good; nothing happens when there is none."""
        path = self.path(app, disk)
        with our_errors(path):
            if _disk_exists(path):
                self.quota.destroy(app, disk)
                remove(path)

    def destroy_all(self, app: AppName) -> None:
        """Destroy every disk of the app, attached or not."""
        place = self._root / app
        for disk in self.list(app):
            self.quota.destroy(app, disk)
        with our_errors(place):
            if _exists(place):
                remove(place)


def _disk_exists(path: Path) -> bool:
    return _exists(path.parent) and _exists(path)


def _exists(path: Path) -> bool:
    """Tell whether the directory is there; anything else in its place is refused."""
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
        run("chown", "--recursive", "--no-dereference", f"--from={old}", "--", new, str(path))


def _is_disk(path: Path) -> bool:
    return DiskName.fits(path.name) and stat.S_ISDIR(path.lstat().st_mode)
