"""The disks of an app's next release have a mount path here; their data is elsewhere."""

from collections.abc import Sequence

from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.names import AppName
from pushdeploy.store.database import Stored
from pushdeploy.store.rows import disks_json, disks_of
from pushdeploy.store.schema import APPS, RELEASES
from pushdeploy.store.wanted import read_wanted, write_wanted


class Disks(Stored):
    """An app wants these disks in its next release."""

    def of(self, app: AppName) -> Sequence[Attachment]:
        """Return the disks; those of its live release where they are damaged."""
        return read_wanted(self._database, app, (APPS.c.disks, RELEASES.c.disks), disks_of, ())

    def replace(self, app: AppName, attachments: Sequence[Attachment]) -> None:
        write_wanted(self._database, app, APPS.c.disks, disks_json(attachments))
