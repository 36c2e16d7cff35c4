"""The output of releases is kept in chunks of lines; of long output, beginning and end."""

from collections import deque
from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select

from pushdeploy.store.database import Database
from pushdeploy.store.schema import RELEASE_OUTPUT

MOST_BYTES = 10 * 1024 * 1024
HEAD_BYTES = 1024 * 1024
CUT = "[… a part is not kept: the output was over 10 MB …]"


class KeptOutput:
    """The chunks of one release have numbers; a gap in them is where a part was dropped.

    One writer at a time: it remembers the sizes.
    """

    def __init__(self, database: Database, app_id: int, version: int) -> None:
        self._database = database
        self._place = {"app_id": app_id, "version": version}
        self._mine = (RELEASE_OUTPUT.c.app_id == app_id, RELEASE_OUTPUT.c.version == version)
        self._loaded = False
        self._last = self._head_bytes = self._tail_bytes = 0
        self._tail: deque[tuple[int, int]] = deque()

    def append(self, lines: Sequence[str]) -> None:
        """Add lines in one commit, and drop the oldest chunks behind the head past the limit."""
        text = "".join(f"{line}\n" for line in lines)
        size_bytes = len(text.encode("utf-8", "replace"))
        with self._database.changing() as connection:
            if not self._loaded:
                self._load(connection)
            chunk = {"chunk": self._last + 1, "size_bytes": size_bytes, "lines": text}
            connection.execute(insert(RELEASE_OUTPUT).values(**self._place, **chunk))
            dropped = self._too_many(size_bytes)
            if dropped:
                between = RELEASE_OUTPUT.c.chunk.between(dropped[0][0], dropped[-1][0])
                connection.execute(delete(RELEASE_OUTPUT).where(*self._mine, between))
        self._drop(len(dropped))
        self._count(self._last + 1, size_bytes)

    def lines(self) -> Sequence[str]:
        """Return the lines, oldest first, with ``CUT`` where a part was dropped."""
        query = select(RELEASE_OUTPUT.c.chunk, RELEASE_OUTPUT.c.lines).where(*self._mine)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(RELEASE_OUTPUT.c.chunk)).all()
        lines: list[str] = []
        for before, row in zip([0, *(row.chunk for row in rows)], rows, strict=False):
            lines += [CUT] if row.chunk != before + 1 else []
            lines += row.lines.split("\n")[:-1]
        return lines

    def _load(self, connection: Connection) -> None:
        query = select(RELEASE_OUTPUT.c.chunk, RELEASE_OUTPUT.c.size_bytes).where(*self._mine)
        for row in connection.execute(query.order_by(RELEASE_OUTPUT.c.chunk)):
            self._count(row.chunk, row.size_bytes)
        self._loaded = True

    def _count(self, chunk: int, size_bytes: int) -> None:
        """The first chunks are the head as long as they fit into it, all others the tail."""
        self._last = chunk
        if not self._tail and self._head_bytes + size_bytes <= HEAD_BYTES:
            self._head_bytes += size_bytes
        else:
            self._tail.append((chunk, size_bytes))
            self._tail_bytes += size_bytes

    def _too_many(self, coming_bytes: int) -> Sequence[tuple[int, int]]:
        """The oldest chunks of the tail that must go when ``coming_bytes`` more are kept."""
        excess = self._head_bytes + self._tail_bytes + coming_bytes - MOST_BYTES
        dropped: list[tuple[int, int]] = []
        for chunk, size_bytes in self._tail:
            if excess <= 0:
                break
            dropped.append((chunk, size_bytes))
            excess -= size_bytes
        return dropped

    def _drop(self, count: int) -> None:
        for _ in range(count):
            self._tail_bytes -= self._tail.popleft()[1]
