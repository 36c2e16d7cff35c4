"""A rehearsal gets writable copies of an app's disks, in a private place and for a short time."""

import itertools
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from pushdeploy.disks.directories import Directories
from pushdeploy.disks.programs import our_errors, remove
from pushdeploy.disks.snapshot_files import SnapshotFiles
from pushdeploy.domain.app import App
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.errors import NoRoom
from pushdeploy.domain.names import DiskName
from pushdeploy.domain.sizes import about_bytes
from pushdeploy.release.free_space import bytes_to_keep_free, space_kept
from pushdeploy.release.snapshots import covered
from pushdeploy.store import Store

_FIRST_NUMBER = 1 << 62
"""Snapshots of rehearsals are in no ledger: numbers that none in there will ever have.

The next start of a killed server removes them, as all that the ledger does not know.
"""


@dataclass(frozen=True, slots=True)
class RehearsalSnapshot:
    """A snapshot of a rehearsal, which nobody lists, holds these disks and took so many seconds."""

    app: App
    number: int
    disks: Sequence[DiskName]
    seconds: float
    size_bytes: int
    kind: str


class Copies:
    """``root`` is beside the disks, on the same file system, so that copies may share blocks."""

    def __init__(
        self, store: Store, snapshot_files: SnapshotFiles, disks: Directories, root: Path
    ) -> None:
        self._store = store
        self._snapshot_files = snapshot_files
        self._disks = disks
        self._root = root.absolute()
        self._numbers = itertools.count(_FIRST_NUMBER)

    @contextmanager
    def snapshot(
        self, app: App, attachments: Sequence[Attachment], line: Callable[[str], None]
    ) -> Iterator[RehearsalSnapshot]:
        """Copy the disks as of now, while their app goes on writing; the context keeps the copy.

        Entered under the app's lock. ``NoRoom`` with the numbers where it and a whole copy beside
        it would not fit.
        """
        paths = self._present(app, attachments)
        if not paths:
            yield RehearsalSnapshot(app, 0, (), 0.0, 0, "")
            return
        newest = self._store.snapshots.newest(app.name)
        former = newest.id if newest else None
        self._refuse_without_room(app, paths, former)
        number = next(self._numbers)
        try:
            began = monotonic()
            taken = self._snapshot_files.take(app.id, number, paths, former, line)
            seconds = monotonic() - began
            size_bytes = sum(taken.sizes_bytes.values())
            yield RehearsalSnapshot(app, number, list(paths), seconds, size_bytes, taken.kind)
        finally:
            self._snapshot_files.remove(app.id, number)

    @contextmanager
    def clones(self, snapshot: RehearsalSnapshot) -> Iterator[Directories]:
        """Give disks like the app's own with the data of ``snapshot``; they go with the context."""
        app = snapshot.app
        place = self._root / secrets.token_hex(8)
        copies = Directories(place)
        try:
            with our_errors(place):
                for path in (self._root, place, place / app.name):
                    path.mkdir(mode=0o700, parents=True, exist_ok=True)
            for disk in snapshot.disks:
                target = copies.path(app.name, disk)
                self._snapshot_files.clone(app.id, snapshot.number, disk, target, app.uid)
            yield copies
        finally:
            with our_errors(place):
                remove(place)

    @contextmanager
    def space_kept(self, cancellation: Cancellation) -> Iterator[None]:
        """Cancel work on copies inside the context before it fills their file system."""
        home = self._root.parent
        with space_kept(home, bytes_to_keep_free(home), cancellation):
            yield

    def sweep(self) -> int:
        """Remove the copies of a killed server, and return how many there were.

        Called before anything is rehearsed.
        """
        with our_errors(self._root):
            left = sorted(self._root.glob("*"))
            for place in left:
                remove(place)
        return len(left)

    def _present(self, app: App, attachments: Sequence[Attachment]) -> Mapping[DiskName, Path]:
        """Those that snapshots hold and that are there: a rehearsal makes none of them."""
        there = self._disks.list(app.name)
        names = [disk for disk in covered(app, attachments) if disk in there]
        for disk in names:
            self._disks.quota.ensure(app.name, disk)
        return {disk: self._disks.path(app.name, disk) for disk in names}

    def _refuse_without_room(
        self, app: App, paths: Mapping[DiskName, Path], former: int | None
    ) -> None:
        snapshot = self._snapshot_files.room(app.id, paths, former)
        copy = self._snapshot_files.room(app.id, paths, None)
        needed = snapshot.needed_bytes + copy.needed_bytes
        if needed > snapshot.free_bytes:
            raise NoRoom(
                f"a rehearsal on copies of {', '.join(paths)} needs {about_bytes(needed)}, and"
                f" {about_bytes(snapshot.free_bytes)} are free",
                f"make room, or remove snapshots:  disks:snapshots {app.name}",
            )
