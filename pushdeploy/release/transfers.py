"""Transfers carry the data of a disk out of the server, in from elsewhere, or to another app.

An app's lock is held for moments only, and never two of them: what takes long is done on a copy, so
deploys go on meanwhile, and two apps may be copied to each other at once.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pushdeploy.disks.archives import pack, unpack
from pushdeploy.domain.app import App
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import DiskName, KeyName
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.snapshot import Snapshot
from pushdeploy.locks.apps import AppLocks, Purpose
from pushdeploy.release.snapshots import SnapshotPhase


@dataclass(frozen=True, slots=True)
class AppDisk:
    """A disk of an app need not be there yet."""

    app: App
    disk: DiskName


@dataclass(frozen=True, slots=True)
class Transfers:
    """Transfers work for ``by``, who reads ``output`` and may stop them before the data is in."""

    snapshots: SnapshotPhase
    locks: AppLocks
    by: KeyName
    output: Output
    cancellation: Cancellation

    @contextmanager
    def copy_of(self, app_disk: AppDisk) -> Iterator[Snapshot]:
        """Take a consistent copy as of now, while the app serves; it goes with the context."""
        with self._turn(app_disk, f"copy of {app_disk.disk}") as app:
            taken = self.snapshots.take_passing(app, [app_disk.disk], self.by, _unsaid)
        try:
            self.cancellation.check()
            yield taken
        finally:
            self.snapshots.remove(app, taken)

    def send(self, app_disk: AppDisk, snapshot: Snapshot, write: Callable[[bytes], None]) -> None:
        """Write the disk as ``snapshot`` holds it, as a tar. Errors as of ``pack``."""
        tree = self.snapshots.files.path(app_disk.app.id, snapshot.id, app_disk.disk)
        pack(tree, write, self.cancellation)

    def receive(self, app_disk: AppDisk, read: Callable[[], bytes]) -> Snapshot:
        """Make a snapshot of the disk from a tar, to be brought in. Errors as of ``unpack``."""
        with self.snapshots.files.staging(app_disk.app.id) as tree:
            unpack(read, tree, app_disk.app.uid, self.cancellation)
            with self._turn(app_disk, f"import of {app_disk.disk}") as app:
                return self.snapshots.adopt(app, app_disk.disk, tree, "Import", self.by)

    def clone(self, source: AppDisk, target: AppDisk) -> Snapshot:
        """Make a snapshot of ``target`` from the data of ``source`` as of now, to be brought in."""
        files, description = self.snapshots.files, f"Clone of {source.disk} of {source.app.name}"
        with files.staging(target.app.id) as tree:
            with self.copy_of(source) as taken:
                files.clone(source.app.id, taken.id, source.disk, tree, target.app.uid)
            self.cancellation.check()
            with self._turn(target, f"clone of {source.app.name}") as app:
                return self.snapshots.adopt(app, target.disk, tree, description, self.by)

    @contextmanager
    def _turn(self, app_disk: AppDisk, what: str) -> Iterator[App]:
        """Hold the app's lock: the app as it is then, if it is still the same one."""
        name = app_disk.app.name
        with self.locks.hold(name, Purpose(what, self.by), self.output, self.cancellation):
            app = self.snapshots.store.apps.get(name)
            if app.id != app_disk.app.id:
                raise UserError(f"{name} is another app by now: nothing was changed")
            yield app


def _unsaid(_text: str) -> None:
    """How far the copy is: it is told of its way instead."""
