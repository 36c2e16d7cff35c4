"""Snapshots of an app's disks are taken before data may change, and restored when that failed."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pushdeploy.disks.directories import Directories
from pushdeploy.disks.snapshot_files import Room, SnapshotFiles, TakenSnapshot
from pushdeploy.domain.app import App
from pushdeploy.domain.disk import Attachment, CutOver
from pushdeploy.domain.errors import Busy, NoRoom, PushdeployError, SnapshotFailed
from pushdeploy.domain.names import DiskName, KeyName
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.release import Release, ReleaseStatus
from pushdeploy.domain.sizes import about_bytes
from pushdeploy.domain.snapshot import Snapshot, SnapshotRule, snapshot_after, superfluous
from pushdeploy.store import Store

_log = logging.getLogger(__name__)

_LARGE_BYTES, _MANY_FILES = 64 * 1024 * 1024, 2000
"""What is copied in a fraction of a second needs no copy ahead."""


@dataclass(frozen=True, slots=True)
class SnapshotPhase:
    """``keep`` snapshots of each app stay for ``days``, and those of the ``releases`` kept."""

    store: Store
    files: SnapshotFiles
    disks: Directories
    keep: int
    days: int
    releases: int

    def take(
        self,
        app: App,
        disks: Sequence[DiskName],
        description: str,
        by: KeyName,
        version: int | None,
        line: Callable[[str], None],
        early: Snapshot | None = None,
    ) -> Snapshot:
        """Take a consistent copy of ``disks``, also while somebody writes to them.

        It goes on from ``early``, a copy of just these disks that is of no use afterwards.
        ``SnapshotFailed`` with what it needs and what is free where there is no room; nothing of
        it is left then.
        """
        refuse_unsettled(app)
        begun = self.store.snapshots.create(app.name, description, by, version)
        taken = self._taken(app, begun, disks, line, early)
        self.store.snapshots.complete(begun.id, taken.kind, taken.sizes_bytes)
        return self.store.snapshots.get(app.name, begun.id)

    def take_passing(
        self, app: App, disks: Sequence[DiskName], by: KeyName, line: Callable[[str], None]
    ) -> Snapshot:
        """Take a snapshot that nobody sees, and that ``remove`` or the next start ends.

        It is never written down as complete. Errors as of ``take``.
        """
        refuse_unsettled(app)
        begun = self.store.snapshots.create(app.name, f"Copy of {', '.join(disks)}", by)
        taken = self._taken(app, begun, disks, line, flush=True)
        return replace(begun, kind=taken.kind, sizes_bytes=taken.sizes_bytes)

    def adopt(
        self, app: App, disk: DiskName, tree: Path, description: str, by: KeyName
    ) -> Snapshot:
        """Make the directory ``tree``, from ``staging``, a snapshot of ``disk``."""
        begun = self.store.snapshots.create(app.name, description, by)
        try:
            size_bytes = self.files.adopt(app.id, begun.id, disk, tree)
        except BaseException:
            self.remove(app, begun)
            raise
        self.store.snapshots.complete(begun.id, "copy", {disk: size_bytes})
        return self.store.snapshots.get(app.name, begun.id)

    def before_release(
        self,
        app: App,
        attachments: Sequence[Attachment],
        version: int,
        by: KeyName,
        output: Output,
        early: Snapshot | None = None,
    ) -> Snapshot | None:
        """Take the snapshot that goes with release ``version``; None where it has nothing to copy.

        ``early`` is what ``ahead`` gave.
        """
        disks = covered(app, attachments)
        if not disks:
            return None
        with output.step(f"Snapshot of {', '.join(disks)}"):
            taken = self.take(app, disks, f"Before v{version}", by, version, output.detail, early)
            output.detail(f"{taken.label}: {about_bytes(taken.size_bytes)}, {taken.kind}")
        self.store.releases.set_snapshot(app.name, version, taken.id)
        return taken

    @contextmanager
    def ahead(
        self, app: App, attachments: Sequence[Attachment], by: KeyName, output: Output
    ) -> Iterator[Snapshot | None]:
        """Copy large disks before requests wait, or raise ``SnapshotFailed`` where there is no
        room.

        What is large is copied now: in the hold that copy need only follow what has changed since.
        """
        disks = covered(app, attachments)
        if not disks or _is_small(self._room(app, disks)):
            yield None
            return
        with output.step(f"Copying {', '.join(disks)} while it serves"):
            early = self._early(app, disks, by, output)
        try:
            yield early
        finally:
            if early is not None:
                self._remove_quietly(app, early)

    def _early(
        self, app: App, disks: Sequence[DiskName], by: KeyName, output: Output
    ) -> Snapshot | None:
        """None where an app lets nobody at its database while it runs: it stops before the next."""
        try:
            return self.take_passing(app, disks, by, output.detail)
        except SnapshotFailed as error:
            why = error.__cause__
            if not isinstance(why, PushdeployError) or isinstance(why, NoRoom):
                raise
            output.detail(f"{why.message}: all is copied while requests wait")
            return None

    def _remove_quietly(self, app: App, snapshot: Snapshot) -> None:
        """What comes of a release does not depend on it."""
        try:
            self.remove(app, snapshot)
        except PushdeployError as error:
            _log.warning("app=%s %s stays: %s", app.name, snapshot.label, error.message)

    def _room(self, app: App, disks: Sequence[DiskName]) -> Room:
        """Raise ``SnapshotFailed`` when there is less than the next snapshot needs."""
        former = self.store.snapshots.newest(app.name)
        room = self.files.room(app.id, self._paths(app, disks), former.id if former else None)
        if room.needed_bytes > room.free_bytes:
            raise SnapshotFailed(
                f"a snapshot of {', '.join(disks)} needs {about_bytes(room.needed_bytes)}, and"
                f" {about_bytes(room.free_bytes)} are free",
                f"make room, or remove snapshots:  disks:snapshots {app.name}",
            )
        return room

    def replace(self, app: App, snapshot: Snapshot, by: KeyName, output: Output) -> None:
        """Make disks that nothing uses equal to ``snapshot``, and remove the snapshot.

        Else as ``exchange``.
        """
        self.exchange(app, snapshot, by, output)
        self.remove(app, snapshot)

    def exchange(self, app: App, snapshot: Snapshot, by: KeyName, output: Output) -> None:
        """Make disks that nothing uses equal to ``snapshot``.

        What they held is a snapshot of its own, where that was anything, and is put back where this
        fails.
        """
        new = [disk for disk in snapshot.disks if disk not in self.disks.list(app.name)]
        former = self._former(app, snapshot, by, output)
        try:
            self.restore(app, snapshot.id, output.detail)
        except BaseException:
            if former is not None:
                paths = self._paths(app, former.disks)
                self.files.restore(app.id, former.id, paths, output.detail)
            for disk in new:
                self.disks.destroy(app.name, disk)
            raise
        finally:
            if former is not None and not former.complete:
                self.remove(app, former)

    def _former(self, app: App, snapshot: Snapshot, by: KeyName, output: Output) -> Snapshot | None:
        """Before it is replaced: one that passes where there is nothing that anybody would miss."""
        disks = [
            each for each in snapshot.disks if each not in app.settings.disks.without_snapshots
        ]
        if not any(self.disks.has_data(app.name, disk) for disk in disks):
            return self.take_passing(app, disks[:1], by, output.detail) if disks else None
        with output.step(f"Snapshot of {', '.join(disks)}"):
            taken = self.take(app, disks, f"Before {snapshot.label}", by, None, output.detail)
            output.detail(f"{taken.label}: {about_bytes(taken.size_bytes)}, {taken.kind}")
        return taken

    def restore(self, app: App, snapshot: int, line: Callable[[str], None]) -> Snapshot:
        """Put the disks back as they were; nobody may write to them meanwhile.

        Done again after a failure or a kill it ends in the same state.
        """
        found = self.store.snapshots.get(app.name, snapshot)
        self.files.restore(app.id, snapshot, self._paths(app, found.disks), line)
        return found

    def loss(self, app: App, snapshot: Snapshot) -> int:
        """Count the bytes of the disks' files that have changed since ``snapshot``."""
        return self.files.changed_bytes(app.id, snapshot.id, self._paths(app, snapshot.disks))

    def prune(self, app: App) -> Sequence[Snapshot]:
        """Remove the snapshots that neither the rule nor a kept release wants, and return them."""
        found = self.store.snapshots.list(app.name)
        if not found:  # most apps have no disk, and every release comes by here
            return []
        rule = SnapshotRule(self.keep, self.days, datetime.now(UTC))
        releases = self.store.releases.list(app.name, self.releases + 1)
        gone = superfluous(found, self._needed(app, releases), rule, _spent(releases))
        for each in gone:
            self.remove(app, each)
        return gone

    def remove(self, app: App, snapshot: Snapshot) -> None:
        """Remove the row last: the next start removes a snapshot whose copy is gone by half."""
        self.files.remove(app.id, snapshot.id)
        self.store.snapshots.remove(snapshot.id)

    def sweep(self) -> None:
        """Remove the unfinished snapshots of a killed server, and those of apps that are gone."""
        self.store.snapshots.forget_incomplete()
        gone = self.files.sweep(self.store.snapshots.places())
        if gone:
            _log.info("%d unfinished snapshots were removed", gone)

    def _taken(
        self,
        app: App,
        begun: Snapshot,
        disks: Sequence[DiskName],
        line: Callable[[str], None],
        early: Snapshot | None = None,
        *,
        flush: bool = False,
    ) -> TakenSnapshot:
        """``flush`` waits for what others write there too: it is not for when requests wait."""
        former = self.store.snapshots.newest(app.name)
        try:
            paths = self._paths(app, disks)
            if early is not None:
                return self.files.catch_up(app.id, begun.id, paths, early.id, line)
            before = former.id if former else None
            return self.files.take(app.id, begun.id, paths, before, line, flush=flush)
        except PushdeployError as error:
            self.store.snapshots.remove(begun.id)
            raise SnapshotFailed(
                f"no snapshot could be taken of the disks of {app.name}: {error.message}",
                error.hint,
            ) from error

    def _needed(self, app: App, releases: Sequence[Release]) -> frozenset[int]:
        kept = releases[: self.releases]
        after = {snapshot_after(releases, release.version) for release in kept}
        pending = {app.put_back, *(each.snapshot for each in kept if each.status.unfinished)}
        return frozenset(each for each in after | pending if each is not None)

    def _paths(self, app: App, disks: Sequence[DiskName]) -> Mapping[DiskName, Path]:
        return {disk: self.disks.ensure(app, disk) for disk in disks}


def _is_small(room: Room) -> bool:
    return room.needed_bytes < _LARGE_BYTES and room.files < _MANY_FILES


def _spent(releases: Sequence[Release]) -> frozenset[int]:
    """The snapshots that were put back when their release failed."""
    failed = (
        each
        for each in releases
        if each.status is ReleaseStatus.FAILED and each.cut_over is CutOver.EXCLUSIVE
    )
    return frozenset(each.snapshot for each in failed if each.snapshot is not None)


def refuse_unsettled(app: App) -> None:
    """Raise ``Busy`` while a failed release's changes are on the disks: they may go any moment."""
    if app.put_back is not None:
        raise Busy(
            f"the disks of {app.name} are still to be put back from s{app.put_back}",
            f"ps:start {app.name}, first",
        )


def covered(app: App, attachments: Sequence[Attachment]) -> Sequence[DiskName]:
    """List the disks whose data a snapshot holds."""
    disks = (attachment.disk for attachment in attachments)
    return [disk for disk in disks if disk not in app.settings.disks.without_snapshots]
