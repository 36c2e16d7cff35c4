"""Each app has a file into which nginx writes its requests; here they become router lines.

Beside it stands which task had which address from when on: nginx knows addresses alone, and the
next container may get one that another has had.
"""

import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from pushdeploy.domain.container import LogLine
from pushdeploy.domain.names import AppName
from pushdeploy.domain.route import Route
from pushdeploy.domain.router_line import RouterLine
from pushdeploy.route.routers.nginx.kept_files import write_whole
from pushdeploy.route.routers.nginx.logs import former_of
from pushdeploy.route.routers.nginx.outcomes import (
    Cause,
    Facts,
    caused,
    code_of,
    parse_facts,
    parse_trouble,
)
from pushdeploy.route.routers.nginx.prefix import Prefix
from pushdeploy.settings import Address

_BLOCK_BYTES = 64 * 1024
_PLACES_KEPT = 200
_CAUSES_KEPT = 1000
_LONGEST_BYTES = 512 * 1024
"""A line has a path of 64 KB at the most, each of its bytes escaped."""

Place = tuple[float, str, str]
"""From that moment on the address has been that of the task: ``web.1``."""


class RequestLogs:
    """The files of all apps, and what is noted beside them."""

    def __init__(self, prefix: Prefix) -> None:
        self._prefix = prefix

    def of(self, app: AppName) -> "RequestLog":
        return RequestLog(self._log(app), self._places_file(app))

    def note(self, route: Route) -> None:
        """Remember which task is at which address, before a request goes there."""
        path = self._places_file(route.app)
        known = read_places(path)
        present = {address: place for _, address, place in known}
        now = time.time()
        wanted = {str(Address(each.address, each.port)): each.place for each in route.targets}
        news = [(now, *item) for item in wanted.items() if present.get(item[0]) != item[1]]
        if news:
            _write_places(path, [*known, *news][-_PLACES_KEPT:])

    def forget(self, app: AppName) -> None:
        """Remove the app's files: whoever takes its name next is not to read them."""
        for path in self._files(app):
            path.unlink(missing_ok=True)

    def keep_only(self, apps: Iterable[AppName]) -> None:
        known = set(apps)
        for path in self._prefix.app_logs.iterdir():
            if path.name.split(".")[0] not in known:
                path.unlink(missing_ok=True)

    def rename(self, app: AppName, new: AppName) -> None:
        """Put the lines of the former name before those of the new one."""
        _, aside, places = self._files(new)
        former, _, former_places = self._files(app)
        with suppress(OSError):
            former.replace(aside)
        known = [*read_places(former_places), *read_places(places)]
        if known:
            _write_places(places, sorted(known)[-_PLACES_KEPT:])
        self.forget(app)

    def _files(self, app: AppName) -> tuple[Path, Path, Path]:
        log = self._log(app)
        return log, former_of(log), self._places_file(app)

    def _log(self, app: AppName) -> Path:
        return self._prefix.app_logs / f"{app}.log"

    def _places_file(self, app: AppName) -> Path:
        return self._prefix.app_logs / f"{app}.places"


class RequestLog:
    """A reader gets the router lines of one app: the last ones, then those that are new."""

    def __init__(self, path: Path, places: Path) -> None:
        self._path = path
        self._places = places
        self._open: list[_Growing] = []
        self._causes: dict[tuple[int, int], Cause] = {}

    def last(self, tail: int) -> Sequence[LogLine]:
        """The newest ``tail`` lines, oldest first. What comes after them is news."""
        self._follow()
        size = self._open[-1].skip() if self._open else 0
        found = self._lines(_last_of(self._path, size, tail)) if tail else []
        if tail > len(found):
            found = [*self._of_former(tail - len(found)), *found]
        return found[-tail:] if tail else []

    def _of_former(self, tail: int) -> Sequence[LogLine]:
        """The last lines of the file that was set aside."""
        aside = former_of(self._path)
        with suppress(OSError):
            return self._lines(_last_of(aside, aside.stat().st_size, tail))
        return ()

    def news(self) -> Sequence[LogLine]:
        """Return what nginx has written since; a file that was set aside is read to its end."""
        self._follow()
        found = [line for file in self._open for line in self._lines(file.lines())]
        return sorted(found, key=lambda line: line.at)

    def close(self) -> None:
        while self._open:
            self._open.pop().close()

    def _follow(self) -> None:
        """Open the file of that name as well, when it is another one than before."""
        with suppress(OSError):
            if not (self._open and self._open[-1].is_at(self._path)):
                self._open.append(_Growing(self._path.open("rb")))
        while len(self._open) > 2:
            self._open.pop(0).close()

    def _lines(self, written: Iterable[bytes]) -> list[LogLine]:
        lines: list[LogLine] = []
        places: Sequence[Place] | None = None
        for line in written:
            if trouble := parse_trouble(line):
                self._note(*trouble)
            elif facts := parse_facts(line):
                places = read_places(self._places) if places is None else places
                lines.append(_shown(caused(facts, self._causes), places))
        return lines

    def _note(self, connection: tuple[int, int], cause: Cause) -> None:
        self._causes[connection] = cause
        if len(self._causes) > _CAUSES_KEPT:
            self._causes.pop(next(iter(self._causes)))


class _Growing:
    """A file to which others write; a line is given when it is whole."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._part = b""

    def is_at(self, path: Path) -> bool:
        return os.path.samestat(os.fstat(self._file.fileno()), path.stat())

    def skip(self) -> int:
        """Go to the end of what is there: how much that is."""
        return self._file.seek(0, os.SEEK_END)

    def lines(self) -> Iterator[bytes]:
        while block := self._file.read(_BLOCK_BYTES):
            *whole, self._part = (self._part + block).split(b"\n")
            yield from whole
            if len(self._part) > _LONGEST_BYTES:
                self._part = b""

    def close(self) -> None:
        self._file.close()


def read_places(path: Path) -> Sequence[Place]:
    """Oldest first; what cannot be read is left out."""
    places: list[Place] = []
    with suppress(OSError):
        for line in path.read_text("utf-8", "replace").splitlines():
            with suppress(ValueError, TypeError):
                at, address, place = json.loads(line)
                places.append((float(at), str(address), str(place)))
    return places


def _write_places(path: Path, places: Sequence[Place]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)  # somebody may have tidied up
    write_whole(path, "".join(f"{json.dumps(place)}\n" for place in places).encode())


def _last_of(path: Path, size: int, tail: int) -> Sequence[bytes]:
    """The lines of the first ``size`` bytes with the last ``tail`` requests, and a few more."""
    with ExitStack() as closing:
        try:
            file = closing.enter_context(path.open("rb"))
        except OSError:
            return []
        wanted = max(_BLOCK_BYTES, tail * 500)
        while True:
            start = max(0, size - wanted)
            file.seek(start)
            lines = file.read(size - start).split(b"\n")
            whole = lines if start == 0 else lines[1:]
            if start == 0 or sum(line.startswith(b"{") for line in whole) >= tail:
                return whole
            wanted *= 4


def _shown(facts: Facts, places: Sequence[Place]) -> LogLine:
    at = datetime.fromtimestamp(facts.at, UTC)
    line = RouterLine(
        at,
        facts.method,
        facts.path,
        facts.host,
        facts.request_id,
        facts.client,
        _place(facts, places),
        facts.connect_seconds,
        facts.service_seconds,
        facts.status,
        facts.size_bytes,
        facts.protocol,
        code_of(facts),
    )
    return LogLine(at, 1, str(line))


def _place(facts: Facts, places: Sequence[Place]) -> str:
    """Who had the address when the request was over: it has another owner only later."""
    task = facts.task
    known = (place for at, address, place in reversed(places) if address == task and at <= facts.at)
    return next(known, "") if task else ""
