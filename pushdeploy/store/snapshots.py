"""The store lists the snapshots of each app's disks; the copies themselves are elsewhere."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Select, delete, insert, select, update

from pushdeploy.domain.errors import UnknownApp, UserError
from pushdeploy.domain.names import AppName, DiskName, KeyName
from pushdeploy.domain.snapshot import Snapshot
from pushdeploy.store.database import Stored
from pushdeploy.store.rows import snapshot_of
from pushdeploy.store.schema import APPS, SNAPSHOTS


class Snapshots(Stored):
    """A snapshot counts from the moment when it is complete."""

    def create(
        self, app: AppName, description: str, by: KeyName, version: int | None = None
    ) -> Snapshot:
        """Write a snapshot down that is to be taken; it counts when it is ``complete``."""
        with self._database.changing() as connection:
            app_id = connection.execute(select(APPS.c.id).where(APPS.c.name == str(app))).scalar()
            if app_id is None:
                raise UnknownApp(app)
            made = insert(SNAPSHOTS).values(
                app_id=app_id,
                version=version,
                description=description,
                key_name=str(by),
                created_at=datetime.now(UTC),
                kind="",
                sizes_bytes={},
                complete=False,
            )
            key = connection.execute(made.returning(SNAPSHOTS.c.id)).scalar_one()
        return self._all(SNAPSHOTS.c.id == key)[0]

    def complete(self, snapshot: int, kind: str, sizes_bytes: Mapping[DiskName, int]) -> None:
        """Note that the snapshot has been taken, and may be restored from now on."""
        sizes = {str(disk): size for disk, size in sizes_bytes.items()}
        with self._database.changing() as connection:
            connection.execute(
                update(SNAPSHOTS)
                .where(SNAPSHOTS.c.id == snapshot)
                .values(kind=kind, sizes_bytes=sizes, complete=True)
            )

    def get(self, app: AppName, snapshot: int) -> Snapshot:
        """Return the snapshot, or raise ``UserError`` when it is missing or cannot be used."""
        found = self._all(SNAPSHOTS.c.id == snapshot, APPS.c.name == str(app))
        if not found or not found[0].complete:
            raise UserError(f"there is no snapshot s{snapshot} of {app}", f"disks:snapshots {app}")
        if found[0].sizes_bytes is None:
            raise UserError(
                f"which disks the snapshot s{snapshot} of {app} holds cannot be read",
                f"disks:snapshots {app} shows the others",
            )
        return found[0]

    def list(self, app: AppName) -> Sequence[Snapshot]:
        """List the snapshots, newest first, incomplete ones too."""
        return self._all(APPS.c.name == str(app))

    def newest(self, app: AppName) -> Snapshot | None:
        """Return the last complete snapshot."""
        return next((each for each in self.list(app) if each.complete), None)

    def remove(self, snapshot: int) -> None:
        with self._database.changing() as connection:
            connection.execute(delete(SNAPSHOTS).where(SNAPSHOTS.c.id == snapshot))

    def places(self) -> frozenset[tuple[int, int]]:
        """Return (app id, snapshot) of every complete snapshot."""
        query = select(SNAPSHOTS.c.app_id, SNAPSHOTS.c.id).where(SNAPSHOTS.c.complete)
        with self._database.reading() as connection:
            return frozenset((row.app_id, row.id) for row in connection.execute(query))

    def forget_incomplete(self) -> None:
        """Remove the snapshots that a killed server was about to take."""
        with self._database.changing() as connection:
            connection.execute(delete(SNAPSHOTS).where(SNAPSHOTS.c.complete.is_(False)))

    def _all(self, *wanted: Any) -> "Sequence[Snapshot]":
        query: Select[Any] = (
            select(SNAPSHOTS, APPS.c.name)
            .join(APPS, APPS.c.id == SNAPSHOTS.c.app_id)
            .where(*wanted)
            .order_by(SNAPSHOTS.c.id.desc())
        )
        with self._database.reading() as connection:
            return [snapshot_of(row) for row in connection.execute(query).mappings()]
