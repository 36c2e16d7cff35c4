"""The audit log is written before each act (who, what) and completed after it (how it ended)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sqlalchemy import delete, func, insert, select, update

from pushdeploy.store.database import Stored
from pushdeploy.store.reading import Reading
from pushdeploy.store.schema import AUDIT


class AuditState(StrEnum):
    """An act goes on, has ended, or was lost with its server."""

    GOING_ON = "going on"
    ENDED = "ended"
    LOST = "did not end"
    """The process that did it was killed, or the machine lost its power."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """``by`` is a key's name, or tells who had none; ``exit_status`` is None until the end."""

    at: datetime
    by: str
    command: str
    exit_status: int | None
    app: str | None
    state: AuditState
    seconds: float | None


class Audit(Stored):
    """The audit log gets an entry for each act."""

    def begin(self, by: str, command: str, app: str | None = None) -> int:
        """Write ``command`` down as it may be read later: the caller leaves secrets out.

        For ``end``.
        """
        return self._insert(by, command, app, AuditState.GOING_ON)

    def end(self, number: int, exit_status: int, seconds: float) -> None:
        values = {"exit_status": exit_status, "seconds": seconds, "state": AuditState.ENDED.value}
        with self._database.noting() as connection:
            connection.execute(update(AUDIT).where(AUDIT.c.id == number).values(**values))

    def record(self, by: str, command: str, exit_status: int, app: str | None = None) -> None:
        """Write down an act that is over already, or took no time."""
        self._insert(by, command, app, AuditState.ENDED, exit_status)

    def list(
        self,
        limit: int = 50,
        *,
        app: str | None = None,
        by: str | None = None,
        since: datetime | None = None,
    ) -> Sequence[AuditEntry]:
        """List entries, newest first."""
        query = select(AUDIT).order_by(AUDIT.c.id.desc()).limit(limit)
        for column, wanted in ((AUDIT.c.app, app), (AUDIT.c.key_name, by)):
            query = query if wanted is None else query.where(column == wanted)
        if since is not None:
            query = query.where(AUDIT.c.at >= since)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [
            AuditEntry(
                row.at,
                row.key_name,
                row.command,
                row.exit_status,
                row.app,
                Reading().one_of("state", AuditState, row.state, AuditState.LOST),
                row.seconds,
            )
            for row in rows
        ]

    def close_open(self) -> None:
        """Close, at the start of a server, the entries of acts that an earlier one began."""
        lost = update(AUDIT).where(AUDIT.c.state == AuditState.GOING_ON.value)
        with self._database.changing() as connection:
            connection.execute(lost.values(state=AuditState.LOST.value))

    def prune(self, days: int, most: int) -> int:
        """Remove entries older than ``days``, and all but the newest ``most``: how many went."""
        newest = select(func.max(AUDIT.c.id)).scalar_subquery()
        oldest = datetime.now(UTC) - timedelta(days=days)
        with self._database.noting() as connection:
            old = connection.execute(delete(AUDIT).where(AUDIT.c.at < oldest)).rowcount
            return (
                old + connection.execute(delete(AUDIT).where(AUDIT.c.id <= newest - most)).rowcount
            )

    def _insert(
        self,
        by: str,
        command: str,
        app: str | None,
        state: AuditState,
        exit_status: int | None = None,
    ) -> int:
        values = {
            "at": datetime.now(UTC),
            "key_name": by,
            "command": command,
            "app": app,
            "state": state.value,
            "exit_status": exit_status,
        }
        with self._database.noting() as connection:
            key = connection.execute(insert(AUDIT).values(**values)).inserted_primary_key
        assert key is not None, "an insert of one row has a key"
        return int(key[0])
