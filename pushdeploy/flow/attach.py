"""Attach and detach: other disks become a release of the live slug, or wait for the first one."""

from collections.abc import Sequence
from dataclasses import dataclass

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import AppName, DiskName
from pushdeploy.domain.release import Release
from pushdeploy.flow.candidates import Candidates
from pushdeploy.flow.ship import Shipper
from pushdeploy.flow.turn import Turns
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class DiskChanges:
    """A change of an app's disks is a release."""

    store: Store
    turns: Turns
    candidates: Candidates
    shipper: Shipper

    def attach(self, app: AppName, attachment: Attachment, asker: Asker) -> Release | None:
        """Attach a disk; None when the app has no release yet and the disk waits for it."""
        with self.turns.of(app, f"attach {attachment.disk}", asker):
            self.refuse_attachment(app, attachment)
            disks = [*self.store.disks.of(app), attachment]
            return self._change(app, disks, f"Attach {attachment.disk}", asker)

    def detach(self, app: AppName, disk: DiskName, asker: Asker) -> Release | None:
        """Detach a disk; its data stays where it is."""
        with self.turns.of(app, f"detach {disk}", asker):
            disks = self.store.disks.of(app)
            if disk not in [attachment.disk for attachment in disks]:
                raise UserError(f"no disk {disk} is attached to {app}", f"disks:list {app}")
            left = [attachment for attachment in disks if attachment.disk != disk]
            return self._change(app, left, f"Detach {disk}", asker)

    def refuse_attachment(self, app: AppName, attachment: Attachment) -> None:
        """Raise ``UserError`` where the disk, or its place, is taken already."""
        for other in self.store.disks.of(app):
            if other.disk == attachment.disk or other.mount_path == attachment.mount_path:
                raise UserError(
                    f"disk {other.disk} is attached at {other.mount_path}",
                    f"disks:detach {app} {other.disk}",
                )

    def _change(
        self, app: AppName, disks: Sequence[Attachment], what: str, asker: Asker
    ) -> Release | None:
        live = self.store.releases.current(app)
        if live is None:
            self.store.disks.replace(app, disks)
            return None
        return self.shipper.ship(self.candidates.of_disks(live, disks, what, asker.by), asker)
