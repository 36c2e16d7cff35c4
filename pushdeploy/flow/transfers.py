"""Transfers: the data of a disk on its way out of the server, in from elsewhere, or to another app.

An app's lock is held for moments only, and never two of them: what takes long is done on a copy, so
deploys go on meanwhile, and two apps may be copied to each other at once.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pushdeploy.disks.archives import pack, unpack
from pushdeploy.disks.directories import Directories
from pushdeploy.domain.app import App
from pushdeploy.domain.asker import Asker
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import PushdeployError, UserError
from pushdeploy.domain.names import DiskName
from pushdeploy.domain.release import Release
from pushdeploy.domain.snapshot import Snapshot
from pushdeploy.flow.restore import Restores
from pushdeploy.flow.turn import Turns
from pushdeploy.release.snapshots import SnapshotPhase
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class AppDisk:
    """A disk of an app; it need not be there yet."""

    app: App
    disk: DiskName


@dataclass(frozen=True, slots=True)
class Occupied:
    """A disk holds this much, and a snapshot may keep it when other data takes its place."""

    used_bytes: int
    is_kept: bool


@dataclass(frozen=True, slots=True)
class Sent:
    """The data of a disk of ``size_bytes`` on its way out."""

    size_bytes: int
    tree: Path
    cancellation: Cancellation

    def write_to(self, write: Callable[[bytes], None]) -> None:
        """All of it, as a tar. Errors as of ``pack``."""
        pack(self.tree, write, self.cancellation)


@dataclass(frozen=True, slots=True)
class Transfers:
    """The asker of each may stop it until the data is brought in."""

    store: Store
    turns: Turns
    disks: Directories
    snapshots: SnapshotPhase
    restores: Restores

    def occupied(self, app_disk: AppDisk) -> Occupied | None:
        """Return what would be replaced; None where nothing is on the disk, or there is none."""
        name, disk = app_disk.app.name, app_disk.disk
        if not self.disks.has_data(name, disk):
            return None
        without = self.store.apps.get(name).settings.disks.without_snapshots
        return Occupied(self.disks.used_bytes(name, disk), is_kept=disk not in without)

    @contextmanager
    def sent(self, app_disk: AppDisk, snapshot: int | None, asker: Asker) -> Iterator[Sent]:
        """The disk as a snapshot holds it: the one that is named, else a copy as of now, which is
        gone when the context is left. ``UserError`` where there is no such disk."""
        if snapshot is None:
            self.disks.refuse_missing(app_disk.app.name, app_disk.disk)
            with self._copy_of(app_disk, asker) as taken:
                yield self._sent(app_disk, taken, asker)
            return
        found = self.store.snapshots.get(app_disk.app.name, snapshot)
        if app_disk.disk not in found.disks:
            raise UserError(
                f"{found.label} has no disk {app_disk.disk}, but {', '.join(found.disks)}",
                f"disks:snapshots {app_disk.app.name}",
            )
        yield self._sent(app_disk, found, asker)

    def receive(self, app_disk: AppDisk, read: Callable[[], bytes], asker: Asker) -> Snapshot:
        """A tar becomes a snapshot of the disk, to be brought in. Errors as of ``unpack``."""
        with self.snapshots.files.staging(app_disk.app.id) as tree:
            unpack(read, tree, app_disk.app.uid, asker.cancellation)
            with self._turn(app_disk, f"import of {app_disk.disk}", asker) as app:
                return self.snapshots.adopt(app, app_disk.disk, tree, "Import", asker.by)

    def clone(self, source: AppDisk, target: AppDisk, asker: Asker) -> Snapshot:
        """The data of ``source`` as of now becomes a snapshot of ``target``, to be brought in.

        ``UserError`` where there is no such disk.
        """
        self.disks.refuse_missing(source.app.name, source.disk)
        files, description = self.snapshots.files, f"Clone of {source.disk} of {source.app.name}"
        with files.staging(target.app.id) as tree:
            with self._copy_of(source, asker) as taken:
                files.clone(source.app.id, taken.id, source.disk, tree, target.app.uid)
            asker.cancellation.check()
            with self._turn(target, f"clone of {source.app.name}", asker) as app:
                return self.snapshots.adopt(app, target.disk, tree, description, asker.by)

    def bring_in(self, app_disk: AppDisk, made: Snapshot, asker: Asker) -> Release | None:
        """Let what has arrived take the disk: the release that this is, None where it is none.

        From here on nothing can be stopped any more. What fails leaves ``made`` for another try.
        """
        app = app_disk.app.name
        try:
            return self.restores.bring_in(app, made, asker)
        except PushdeployError as error:
            retry = f"disks:restore {app} {made.label} tries again"
            again = f"the data that has arrived is {made.label}: {retry}"
            error.hint = f"{error.hint}\n{again}" if error.hint else again
            raise

    def _sent(self, app_disk: AppDisk, snapshot: Snapshot, asker: Asker) -> Sent:
        tree = self.snapshots.files.path(app_disk.app.id, snapshot.id, app_disk.disk)
        return Sent((snapshot.sizes_bytes or {})[app_disk.disk], tree, asker.cancellation)

    @contextmanager
    def _copy_of(self, app_disk: AppDisk, asker: Asker) -> Iterator[Snapshot]:
        """A consistent copy as of now, while the app serves; gone when the context is left."""
        with self._turn(app_disk, f"copy of {app_disk.disk}", asker) as app:
            taken = self.snapshots.take_passing(app, [app_disk.disk], asker.by, _unsaid)
        try:
            asker.cancellation.check()
            yield taken
        finally:
            self.snapshots.remove(app, taken)

    @contextmanager
    def _turn(self, app_disk: AppDisk, what: str, asker: Asker) -> Iterator[App]:
        """Hold the app's lock: the app as it is then, if it is still the same one."""
        with self.turns.of(app_disk.app.name, what, asker) as app:
            if app.id != app_disk.app.id:
                raise UserError(f"{app.name} is another app by now: nothing was changed")
            yield app


def _unsaid(_text: str) -> None:
    """How far the copy is: it is told of its way instead."""
