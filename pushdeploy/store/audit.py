"""Who asked for what, and how it ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import insert, select

from pushdeploy.domain.names import KeyName
from pushdeploy.store.database import Database
from pushdeploy.store.schema import AUDIT


@dataclass(frozen=True, slots=True)
class AuditEntry:
    at: datetime
    by: KeyName
    command: str
    exit_status: int


class Audit:
    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, by: KeyName, command: str, exit_status: int) -> None:
        """``command`` as it may be read later: the caller leaves secrets out."""
        entry = {"key_name": str(by), "command": command, "exit_status": exit_status}
        with self._database.changing() as connection:
            connection.execute(insert(AUDIT).values(at=datetime.now(UTC), **entry))

    def list(self, limit: int = 50) -> Sequence[AuditEntry]:
        """Newest first."""
        query = select(AUDIT).order_by(AUDIT.c.id.desc()).limit(limit)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [
            AuditEntry(row.at, KeyName(row.key_name), row.command, row.exit_status) for row in rows
        ]
