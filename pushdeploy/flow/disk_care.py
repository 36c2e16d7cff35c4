"""Disks: a new one with a size, what one may hold, how all are handled, and the end of one."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from pushdeploy.disks.directories import Directories
from pushdeploy.domain.app import App
from pushdeploy.domain.asker import Asker
from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.errors import PushdeployError, UserError
from pushdeploy.domain.names import AppName, DiskName
from pushdeploy.domain.release import Release
from pushdeploy.domain.settings.disks import changed_disks
from pushdeploy.flow.attach import DiskChanges
from pushdeploy.flow.turn import Turns
from pushdeploy.release.snapshots import refuse_unsettled
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class DiskCare:
    """Disks are made, limited and destroyed without a release."""

    store: Store
    turns: Turns
    disks: Directories
    attachments: DiskChanges

    def attach(
        self, app: App, attachment: Attachment, size_bytes: int | None, asker: Asker
    ) -> Release | None:
        """Attach a disk that may hold ``size_bytes`` at the most; None: what its file system has.

        None when the app has no release yet and the disk waits for it.
        """
        self.attachments.refuse_attachment(app.name, attachment)
        disk = attachment.disk
        with self._nothing_left(app, disk):
            if size_bytes is not None:
                with self.turns.to_its_end(app.name, f"size of {disk}", asker) as now:
                    self._limit(now, disk, size_bytes)
                    self._keep_limit(now.name, disk, size_bytes)
            return self.attachments.attach(app.name, attachment, asker)

    def change(
        self, app: AppName, disk: DiskName | None, words: Sequence[str], asker: Asker
    ) -> None:
        """Apply ``key=value`` words to one disk, or without one to all that the app has.

        A size is in force at once, all else from the next release on.
        """
        with self.turns.to_its_end(app, "disk settings", asker) as now:
            settings = changed_disks(now.settings.disks, disk, words)
            if disk and settings.limit_of(disk) != now.settings.disks.limit_of(disk):
                self._limit(now, disk, settings.limit_of(disk))
            self.store.apps.set_settings(app, replace(now.settings, disks=settings))

    def destroy(self, app: AppName, disk: DiskName, asker: Asker) -> None:
        """Delete the data of a disk that is not attached. ``UserError`` where it is."""
        with (
            self.turns.to_its_end(app, f"destroy {disk}", asker),
            asker.output.step(f"Destroying {disk} of {app}"),
        ):
            self.refuse_destroy(app, disk)
            self.disks.destroy(app, disk)

    def refuse_destroy(self, app: AppName, disk: DiskName) -> None:
        """Raise ``UserError`` where the disk has no data, or is attached."""
        if disk not in self.disks.list(app):
            raise UserError(f"{app} has no data on a disk {disk}", f"disks:list {app}")
        if disk in [item.disk for item in self.store.disks.of(app)]:
            raise UserError(f"{disk} is attached to {app}", f"disks:detach {app} {disk}, first")

    @contextmanager
    def _nothing_left(self, app: App, disk: DiskName) -> Iterator[None]:
        """A disk that is refused before there is a release for it has the size that it had, or
        none."""
        store, disks, former = self.store, self.disks, app.settings.disks.limit_of(disk)
        there, before = disk in disks.list(app.name), store.releases.latest(app.name)
        try:
            yield
        except PushdeployError:
            if store.releases.latest(app.name) == before:
                if not there and not disks.has_data(app.name, disk):
                    disks.destroy(app.name, disk)
                self._keep_limit(app.name, disk, former)
            raise

    def _keep_limit(self, name: AppName, disk: DiskName, size_bytes: int | None) -> None:
        """In the settings; on a disk that is there too."""
        settings = self.store.apps.get(name).settings
        if settings.disks.limit_of(disk) == size_bytes:
            return
        if disk in self.disks.list(name):
            self.disks.quota.set_limit(name, disk, size_bytes)
        sized = replace(settings, disks=settings.disks.with_limit(disk, size_bytes))
        self.store.apps.set_settings(name, sized)

    def _limit(self, app: App, disk: DiskName, size_bytes: int | None) -> None:
        """Of the directory first: what it refuses is not written down."""
        refuse_unsettled(app)
        live = self.store.releases.current(app.name)
        used = live is not None and disk in [item.disk for item in live.disks] and not app.stopped
        if used and size_bytes and self.disks.quota.limit_of(app.name, disk) is None:
            # Docker may just be about to start a crashed task again, which shows nowhere.
            raise UserError(
                f"{app.name} uses {disk}, whose data moves when it gets its first size",
                f"ps:stop {app.name}, and again",
            )
        self.disks.ensure(app, disk)
        self.disks.quota.set_limit(app.name, disk, size_bytes)
