"""Snapshots of disks lie in ``<root>/<app id>/<snapshot id>/<disk>``, with an index beside each.

For root alone: their files carry the owners and modes of the disks, and some are hard links into
the app's other snapshots. A snapshot is complete when it has its name, and never changed.
"""

import errno
import os
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pushdeploy.disks.copier_client import carry_out
from pushdeploy.disks.copy_job import CopyJob
from pushdeploy.disks.durable import flush
from pushdeploy.disks.programs import our_errors, remove
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import DiskName

_NEW, _GONE = ".new-", ".gone-"
"""What is being made, and what is being removed."""


@dataclass(frozen=True, slots=True)
class TakenSnapshot:
    """``kind`` names the kinds of snapshot that were used, the sizes are those of the files."""

    kind: str
    sizes_bytes: Mapping[DiskName, int]


@dataclass(frozen=True, slots=True)
class Room:
    """A snapshot would take ``needed_bytes`` now, and ``free_bytes`` are there for it."""

    needed_bytes: int
    free_bytes: int
    files: int


class SnapshotFiles:
    """The caller holds the app's lock: one thing at a time happens to an app's snapshots."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    def path(self, app_id: int, snapshot: int, disk: DiskName) -> Path:
        """Return the path where the disk's content in the snapshot is, or would be."""
        return self._place(app_id, snapshot) / disk

    def take(
        self,
        app_id: int,
        snapshot: int,
        disks: Mapping[DiskName, Path],
        former: int | None,
        line: Callable[[str], None],
        *,
        flush: bool = False,
    ) -> TakenSnapshot:
        """Copy all disks, while their app may go on writing, and return when that is on the device.

        Files that have not changed since ``former`` take no room. With ``flush`` what was written
        a moment ago is flushed first, so that the next snapshot need not copy it again. ``NoRoom``
        with the numbers, before anything is copied or, where a disk grows meanwhile, after;
        nothing is left then. ``BackendDown`` too when a database stays locked.
        """
        job = CopyJob("take", "", _texts(disks), self._former(app_id, former), flush=flush)
        return self._taken(app_id, snapshot, job, line)

    def catch_up(
        self,
        app_id: int,
        snapshot: int,
        disks: Mapping[DiskName, Path],
        early: int,
        line: Callable[[str], None],
    ) -> TakenSnapshot:
        """Take a snapshot that goes on from ``early``, one of the same disks, and takes its files
        over.

        It takes as long as what has changed since; ``early`` holds nothing any more.
        """
        job = CopyJob("catch_up", "", _texts(disks), self._former(app_id, early))
        return self._taken(app_id, snapshot, job, line)

    def _taken(
        self, app_id: int, snapshot: int, job: CopyJob, line: Callable[[str], None]
    ) -> TakenSnapshot:
        place = self._place(app_id, snapshot)
        with our_errors(place, "snapshot"):
            made = self._new(place)
            try:
                result = carry_out(job._replace(place=str(made)), line)
                made.rename(place)
                flush(place.parent)
            except BaseException:
                remove(made)
                raise
        sizes = {DiskName(disk): size for disk, size in result["sizes"].items()}
        return TakenSnapshot(result["kind"], sizes)

    def restore(
        self,
        app_id: int,
        snapshot: int,
        disks: Mapping[DiskName, Path],
        line: Callable[[str], None],
    ) -> None:
        """Make these disks exactly what they were, each in its own directory; nobody may write.

        What is certain not to have changed is not touched. Calling it again after it was cut short
        leads to the same.
        """
        for disk in disks:
            self._check_has(app_id, snapshot, disk)
        place = self._place(app_id, snapshot)
        with our_errors(place, "snapshot"):
            carry_out(CopyJob("restore", str(place), _texts(disks)), line)

    def clone(self, app_id: int, snapshot: int, disk: DiskName, target: Path, uid: int) -> None:
        """Make a writable copy in the directory ``target``, made when it is missing, else empty.

        Files of the disk's owner become those of ``uid``. Where it fails, nothing is left in it.
        """
        self._check_has(app_id, snapshot, disk)
        with our_errors(target, "snapshot"):
            _make_empty(target)
            try:
                place = str(self.path(app_id, snapshot, disk))
                carry_out(CopyJob("clone", place, target=str(target), uid=uid))
            except BaseException:
                remove(target)
                raise

    def changed_bytes(self, app_id: int, snapshot: int, disks: Mapping[DiskName, Path]) -> int:
        """Sum the sizes of the live files that have changed, by their times; nothing is read."""
        place = self._place(app_id, snapshot)
        with our_errors(place, "snapshot"):
            size: int = carry_out(CopyJob("changed", str(place), _texts(disks)))["size"]
        return size

    def room(self, app_id: int, disks: Mapping[DiskName, Path], former: int | None) -> Room:
        """Estimate the room, by the numbers that ``take`` refuses by too."""
        with our_errors(self._root, "snapshot"):
            place = _make_private(self._root / str(app_id))
            job = CopyJob("room", str(place), _texts(disks), self._former(app_id, former))
            result = carry_out(job)
        return Room(result["needed"], result["free"], result["files"])

    @contextmanager
    def staging(self, app_id: int) -> Iterator[Path]:
        """Give a path to make a tree at that is to be adopted; files left there go with the
        context.

        What a killed server has left is swept.
        """
        with our_errors(self._root, "snapshot"):
            place = _make_private(self._root / str(app_id))
            made = Path(tempfile.mkdtemp(prefix=_NEW, dir=place))
        try:
            yield made / "tree"
        finally:
            with our_errors(made, "snapshot"):
                remove(made)

    def adopt(self, app_id: int, snapshot: int, disk: DiskName, tree: Path) -> int:
        """Make the directory ``tree`` the disk's content in the snapshot: its size in bytes.

        It is moved, or copied and removed where it lies on another file system. The snapshot may
        have other disks already.
        """
        place = self.path(app_id, snapshot, disk)
        with our_errors(place, "snapshot"):
            _make_private(place.parent)
            _refuse_second(place)
            try:
                tree.rename(place)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                return self._adopt_from_elsewhere(place, disk, tree)
            size: int = carry_out(CopyJob("weigh", str(place)))["size"]
        return size

    def remove(self, app_id: int, snapshot: int) -> None:
        """Remove the snapshot; other snapshots keep the files that they share with it.

        Nothing happens when it is gone.
        """
        place = self._place(app_id, snapshot)
        gone = place.with_name(f"{_GONE}{snapshot}")
        with our_errors(place, "snapshot"), suppress(FileNotFoundError):
            remove(gone)  # by half, when the last time was cut short
            remove(place.rename(gone))

    def remove_app(self, app_id: int) -> None:
        place = self._root / str(app_id)
        with our_errors(place, "snapshot"):
            remove(place)

    def sweep(self, known: Collection[tuple[int, int]]) -> int:
        """Remove every directory that is no snapshot in ``known`` of (app id, snapshot id): how
        many.

        That is what killed servers have left. Called before anything is taken.
        """
        with our_errors(self._root, "snapshot"):
            wanted = {self._place(*each) for each in known}
            strays = [path for path in self._root.glob("*/*") if path not in wanted]
            for path in strays:
                remove(path)
            for path in self._root.glob("*"):
                with suppress(OSError):  # it is not empty
                    path.rmdir()
        return len(strays)

    def _place(self, app_id: int, snapshot: int) -> Path:
        return self._root / str(app_id) / str(snapshot)

    def _former(self, app_id: int, snapshot: int | None) -> str | None:
        return None if snapshot is None else str(self._place(app_id, snapshot))

    def _new(self, place: Path) -> Path:
        _make_private(place.parent)
        _refuse_second(place)
        made = place.with_name(f"{_NEW}{place.name}")
        remove(made)
        made.mkdir(mode=0o700)
        return made

    def _adopt_from_elsewhere(self, place: Path, disk: DiskName, tree: Path) -> int:
        job = CopyJob("take", str(place.parent), {disk: str(tree)})
        try:
            size: int = carry_out(job)["sizes"][disk]
        except BaseException:
            remove(place)
            raise
        remove(tree)
        return size

    def _check_has(self, app_id: int, snapshot: int, disk: DiskName) -> None:
        with our_errors(self._root, "snapshot"):
            if not self.path(app_id, snapshot, disk).is_dir():
                raise UserError(
                    f"snapshot {snapshot} has no disk {disk}",
                    "choose another snapshot",
                )


def _texts(disks: Mapping[DiskName, Path]) -> Mapping[str, str]:
    return {str(disk): str(path.absolute()) for disk, path in disks.items()}


def _make_private(place: Path) -> Path:
    """The directory and what is above it, for us alone."""
    for path in (place.parent.parent, place.parent, place):
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return place


def _make_empty(target: Path) -> None:
    target.mkdir(mode=0o700, exist_ok=True)
    if any(target.iterdir()):
        raise UserError(f"{target} is not empty", "give a new directory")


def _refuse_second(place: Path) -> None:
    if os.path.lexists(place):
        raise UserError(f"there is a snapshot at {place} already", "take one with another number")
