"""The ledger of releases is append-only, and an app has one live release at the most."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, Select, insert, select

from pushdeploy.domain.names import AppName, CommitId, ImageDigest
from pushdeploy.domain.release import Candidate, Release, ReleaseStatus
from pushdeploy.domain.retention import Entry
from pushdeploy.store import ledger
from pushdeploy.store.config import shared_config
from pushdeploy.store.database import Stored
from pushdeploy.store.outputs import KeptOutput
from pushdeploy.store.reading import Reading
from pushdeploy.store.recorder import OutputRecorder
from pushdeploy.store.rows import release_of, status_of
from pushdeploy.store.schema import RELEASES
from pushdeploy.store.slugs import ensure_slug


class Releases(Stored):
    """Methods that ask about an unknown app find nothing; those that change one raise."""

    # ------------------------------------------------------------- reading

    def get(self, app: AppName, version: int) -> Release:
        """Raise ``UserError`` when there is none."""
        release = self.find(app, version)
        if release is None:
            raise ledger.no_release(app, version)
        return release

    def find(self, app: AppName, version: int) -> Release | None:
        return self._first(ledger.one(app, version))

    def list(self, app: AppName, limit: int = 15) -> Sequence[Release]:
        """List releases of the app, newest first."""
        return self._all(ledger.newest(app, limit))

    def latest(self, app: AppName) -> Release | None:
        """Return the release with the highest version, whatever became of it."""
        return self._first(ledger.newest(app, 1))

    def current(self, app: AppName) -> Release | None:
        """Return the live release of the app."""
        return self._first(ledger.current(app))

    def live(self) -> Mapping[AppName, Release]:
        """Return the live release of every app that has one."""
        return {release.app: release for release in self._all(ledger.live())}

    def branches(self, app: AppName) -> Mapping[str, CommitId]:
        """Return the commits at the branches that releases have moved."""
        with self._database.reading() as connection:
            rows = connection.execute(ledger.moved_refs(app)).all()
        return {row.ref: CommitId(row.commit_id) for row in rows}

    def unfinished(self) -> Sequence[Release]:
        """List releases of all apps that are being shipped, or that a killed server has left."""
        return self._all(ledger.unfinished())

    def refs_pending(self) -> Sequence[Release]:
        """List live releases of all apps whose branch has not been moved yet."""
        return self._all(ledger.refs_pending())

    def entries(self, images: Collection[ImageDigest] | None = None) -> "Sequence[Entry]":
        """Return the releases of all apps, or of apps that ever had one of these ``images``."""
        with self._database.reading() as connection:
            rows = connection.execute(ledger.entries(images)).all()
        return [
            Entry(AppName(row.name), row.version, _status_of(row), ImageDigest(row.image))
            for row in rows
        ]

    def schedulers(self) -> "Sequence[str]":
        """List the schedulers, apart from that of the server, that releases have used."""
        query = select(RELEASES.c.scheduler).where(RELEASES.c.scheduler.is_not(None)).distinct()
        with self._database.reading() as connection:
            return [str(name) for name in connection.execute(query).scalars()]

    # ------------------------------------------------------------- a release's life

    def create(self, candidate: Candidate) -> Release:
        """Write the app's next release down as ``pending``; its slug too, where it is missing."""
        with self._database.changing() as connection:
            app_id, version = ledger.next_version(connection, candidate.app)
            connection.execute(
                insert(RELEASES).values(
                    app_id=app_id,
                    version=version,
                    slug_id=ensure_slug(connection, candidate.slug),
                    **ledger.values_of(candidate, shared_config(connection)),
                )
            )
        return self.get(candidate.app, version)

    def set_status(
        self, app: AppName, version: int, status: ReleaseStatus, error: str = ""
    ) -> None:
        """Note how far an unfinished release has come. ``make_live`` alone makes one live."""
        if not status.unfinished and status is not ReleaseStatus.FAILED:
            raise ValueError(f"a release becomes {status} by make_live only")
        with self._database.changing() as connection:
            ledger.move(connection, app, version, {"status": str(status), "error": error})

    def fail(self, app: AppName, version: int, error: str) -> None:
        """Note a failure, or raise ``PushdeployError``: a live release cannot fail any more."""
        self.set_status(app, version, ReleaseStatus.FAILED, error)

    def make_live(self, app: AppName, version: int) -> None:
        """Retire the former one, make this one live and its config and disks the wanted ones.

        All in one transaction. ``PushdeployError`` when it is finished already.
        """
        with self._database.changing() as connection:
            connection.execute(ledger.retire_others(app, version))
            live = {"status": str(ReleaseStatus.LIVE), "live_at": datetime.now(UTC)}
            ledger.move(connection, app, version, live)
            connection.execute(ledger.point_at(app, version))

    def set_mark(self, app: AppName, version: int, mark: str) -> None:
        """Note of a live release that its processes did not stay up."""
        with self._database.changing() as connection:
            connection.execute(ledger.mark(app, version, mark))

    def set_snapshot(self, app: AppName, version: int, snapshot: int) -> None:
        """Note the snapshot that was taken before the release phase."""
        with self._database.changing() as connection:
            ledger.move(connection, app, version, {"snapshot_id": snapshot})

    def ref_moved(self, app: AppName, version: int) -> None:
        """Note that the branch of a live release has moved, or is not to be moved any more."""
        with self._database.changing() as connection:
            connection.execute(ledger.mark_ref_moved(app, version))

    # ------------------------------------------------------------- what is kept with it

    def recorder(self, app: AppName, version: int) -> OutputRecorder:
        """Give a context in which ``write`` keeps the lines that the release prints."""
        return OutputRecorder(KeptOutput(self._database, self._app_id(app, version), version))

    def output(self, app: AppName, version: int) -> Sequence[str]:
        """Return the lines that are kept, oldest first."""
        return KeptOutput(self._database, self._app_id(app, version), version).lines()

    def forget_output(self, images: Collection[ImageDigest]) -> None:
        """Remove the output of releases with these slugs."""
        with self._database.changing() as connection:
            connection.execute(ledger.forget_output(images))

    def add_step(self, app: AppName, version: int, name: str, seconds: float) -> None:
        """Note how long a step of the release took.

        It is noted: nobody waits for the disk between two steps.
        """
        with self._database.noting() as connection:
            ledger.append_step(connection, app, version, name, seconds)

    def steps(self, app: AppName, version: int) -> "Sequence[tuple[str, float]]":
        """Return (name, seconds) of each step, in the order in which they ended."""
        with self._database.reading() as connection:
            rows = connection.execute(ledger.steps(app, version)).all()
        return [(row.name, row.seconds) for row in rows]

    # ------------------------------------------------------------- private

    def _app_id(self, app: AppName, version: int) -> int:
        with self._database.reading() as connection:
            return ledger.app_id_of(connection, app, version)

    def _first(self, query: Select[Any]) -> Release | None:
        found = self._all(query)
        return found[0] if found else None

    def _all(self, query: Select[Any]) -> Sequence[Release]:
        with self._database.reading() as connection:
            return [release_of(row) for row in connection.execute(query).mappings()]


def _status_of(row: Row[Any]) -> ReleaseStatus:
    is_current = row.version == row.current_version
    return status_of(row.status, is_current=is_current, reading=Reading())
