"""Gives, changes and removes the size of a disk, and knows which kind of limit holds it.

What is there is the truth. Where no kind can hold a size there is only ``crowding`` to warn.
"""

import logging
import shutil
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

from pushdeploy.discover import discover
from pushdeploy.disks import conversion, limits
from pushdeploy.disks.programs import our_errors, used_bytes
from pushdeploy.domain.disk import Usage, crowding
from pushdeploy.domain.errors import PushdeployError, UserError
from pushdeploy.domain.names import AppName, DiskName
from pushdeploy.domain.ports.disk_limit import DiskLimit
from pushdeploy.domain.sizes import about_bytes

LEAST_BYTES = 16 * 1024**2

_AT_ONCE = 4

_log = logging.getLogger(__name__)


class Quota:
    """A quota looks after the sizes of the disks ``<root>/<app>/<disk>``.

    Changes are made under the app's lock.
    """

    def __init__(self, root: Path, kinds: Sequence[DiskLimit] | None = None) -> None:
        self._root = root.absolute()
        found = discovered() if kinds is None else kinds
        self._kinds = sorted(found, key=lambda kind: kind.order)
        self._locks: dict[AppName, threading.RLock] = {}

    def set_limit(self, app: AppName, disk: DiskName, size_bytes: int | None) -> None:
        """Make ``size_bytes`` all that fits on a disk that exists; None: whatever the server has.

        A plain disk is copied for its first limit, and back when an image file is given up: only
        while nothing has it mounted, else ``UserError``. Otherwise running containers go on.
        ``UserError`` and ``BackendDown`` leave everything as it was.
        """
        path = self._root / app / disk
        if size_bytes is not None and size_bytes < LEAST_BYTES:
            raise UserError(f"a disk has {about_bytes(LEAST_BYTES)} at least", "give a larger size")
        with self._lock(app), our_errors(path):
            self._ensure(path)
            kind = self._kind_of(path)
            if size_bytes is not None:
                if not path.is_dir():
                    raise UserError(f"{app} has no disk {disk}", f"disks:attach {app} {disk} /data")
                (kind or self._kind_for_new()).limit(path, size_bytes)
            elif kind is not None:
                kind.lift(path)

    def limit_of(self, app: AppName, disk: DiskName) -> int | None:
        path = self._root / app / disk
        with our_errors(path):
            kind = self._kind_of(path)
            return kind.limit_of(path) if kind else None

    def usage(self, app: AppName, disk: DiskName) -> Usage:
        """Return the usage of a disk, which is zero where there is no disk."""
        path = self._root / app / disk
        with our_errors(path):
            if kind := self._kind_of(path):
                return kind.usage(path)
            around = shutil.disk_usage(next(each for each in path.parents if each.is_dir()))
            used = used_bytes(path) if path.is_dir() else 0
            return Usage(used, None, around.free, around.total)

    def ensure(self, app: AppName, disk: DiskName) -> bool:
        """Make a disk with a size usable, as after a boot, and tell whether it had not been."""
        path = self._root / app / disk
        with self._lock(app), our_errors(path):
            return self._ensure(path)

    def ensure_all(self) -> Sequence[tuple[AppName, DiskName]]:
        """Make all disks usable at the start of a server, and list those that had not been.

        Containers that the engine has started by itself before do not see these disks: they look
        into the empty directories below. What a killed conversion has left is cleared away. One
        disk in trouble does not keep the others waiting; it is logged.
        """
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="disks") as pool:
            done = pool.map(self._recover, self._paths())
            return [(AppName(path.parent.name), DiskName(path.name)) for path in done if path]

    def destroy(self, app: AppName, disk: DiskName) -> None:
        """Remove what a limit has made of the disk, with its data; a plain directory stays."""
        path = self._root / app / disk
        with self._lock(app), our_errors(path):
            for left in (conversion.making(path), conversion.spare(path)):
                conversion.discard(left)
            if kind := self._kind_of(path):
                kind.destroy(path)

    def check(self) -> Sequence[str]:
        """Return a sentence for each fault that an operator should look at."""
        said = []
        growth_bytes = 0
        for path in self._paths():
            if kind := self._kind_of(path):
                growth_bytes += kind.growth_bytes(path)
                trouble = kind.trouble(path) or crowding(kind.usage(path))
                if trouble:
                    said.append(f"disk {path.name} of {path.parent.name} {trouble}")
            elif conversion.spare(path).exists():
                said.append(f"{conversion.spare(path)} may hold data of disk {path.name}")
        if growth_bytes and growth_bytes > (free := shutil.disk_usage(self._root).free):
            said.append(
                f"disks with sizes may grow by {about_bytes(growth_bytes)}, and the server has"
                f" {about_bytes(free)}"
            )
        return said

    # ------------------------------------------------------------- private

    def _ensure(self, path: Path) -> bool:
        kind = self._kind_of(path)
        conversion.settle(path, held=kind is not None)
        return kind.ensure(path) if kind else False

    def _recover(self, path: Path) -> Path | None:
        app = AppName(path.parent.name)
        try:
            with self._lock(app), our_errors(path):
                mounted = self._ensure(path)
                conversion.sweep(path, held=self._kind_of(path) is not None)
                return path if mounted else None
        except PushdeployError as error:
            _log.warning("app=%s disk=%s is not usable: %s", app, path.name, error.message)
            return None

    def _paths(self) -> Iterator[Path]:
        """Every disk, also one of which only hidden files are there."""
        places = sorted(self._root.iterdir()) if self._root.is_dir() else []
        for place in places:
            if AppName.fits(place.name) and place.is_dir() and not place.is_symlink():
                names = {_disk_of(entry.name) for entry in place.iterdir()}
                yield from (place / name for name in sorted(names) if DiskName.fits(name))

    def _kind_of(self, path: Path) -> DiskLimit | None:
        return next((kind for kind in self._kinds if kind.holds(path)), None)

    def _kind_for_new(self) -> DiskLimit:
        for kind in self._kinds:
            if kind.suits(self._root):
                return kind
        raise UserError("nothing on this server can limit a disk", "give it no size")

    def _lock(self, app: AppName) -> threading.RLock:
        return self._locks.setdefault(app, threading.RLock())


def discovered() -> Sequence[DiskLimit]:
    """Return one limit of each kind that there is."""
    return [cast("DiskLimit", kind) for kind in discover(limits, "LIMIT").values()]


def _disk_of(name: str) -> str:
    """``data`` of ``data``, ``.data.ext4``, ``.data.spare`` and the like."""
    return name.removeprefix(".").partition(".")[0]
