"""Tells which disks an app has, what is on them, and where their data lies."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pushdeploy.disks.directories import Directories
from pushdeploy.domain.app import App
from pushdeploy.domain.disk import Usage, crowding
from pushdeploy.domain.names import AppName, DiskName
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class DiskOverview:
    """``mount_path`` None: it is detached. ``warning`` says that it is nearly full, if it is."""

    disk: DiskName
    mount_path: str | None
    usage: Usage
    warning: str
    path: Path


@dataclass(frozen=True, slots=True)
class DiskReader:
    """The reader tells which disks an app has, and how full they are."""

    store: Store
    disks: Directories

    def all(self, app: App) -> Sequence[DiskOverview]:
        """Attached disks, and detached ones with data, by name."""
        mounts = {item.disk: item.mount_path for item in self.store.disks.of(app.name)}
        names = sorted({*mounts, *self.disks.list(app.name)})
        return [self._overview(app, disk, mounts.get(disk)) for disk in names]

    def path(self, app: AppName, disk: DiskName) -> Path:
        """Return the path of the disk's data on the server."""
        return self.disks.path(app, disk)

    def refuse_missing(self, app: AppName, disk: DiskName) -> None:
        """Raise ``UserError`` where the app has no such disk."""
        self.disks.refuse_missing(app, disk)

    def _overview(self, app: App, disk: DiskName, mount_path: str | None) -> DiskOverview:
        usage = self.disks.quota.usage(app.name, disk)
        return DiskOverview(
            disk=disk,
            mount_path=mount_path,
            usage=usage,
            warning=crowding(usage, app.settings.disks.limit_of(disk)),
            path=self.disks.path(app.name, disk),
        )
