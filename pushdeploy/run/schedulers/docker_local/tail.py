"""Log lines of an app are merged by time, and followed live through crashes and deploys."""

import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from pushdeploy.domain.container import EngineEvent, LogLine
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.names import AppName
from pushdeploy.domain.ports.engine import Engine
from pushdeploy.run.logbook import Logbook, matches
from pushdeploy.run.schedulers.docker_local import labels

_LOOK_SECONDS = 0.2
_OVERLAP_LINES = 1000
_BEGINNING = datetime.min.replace(tzinfo=UTC)

Line = tuple[str, LogLine]


@dataclass(frozen=True, slots=True)
class _Started:
    """A container that logs from now on."""

    container: str
    slot: str


@dataclass(frozen=True, slots=True)
class _StreamEnded:
    """A container whose log stream has come to its end."""

    container: str
    slot: str


@dataclass(frozen=True, slots=True)
class _Connected:
    """Docker answers again: what started meanwhile was not told."""


@dataclass(frozen=True, slots=True)
class _Written:
    container: str
    slot: str
    line: LogLine


_Item = _Started | _StreamEnded | _Connected | _Written


class Tail:
    """Gives the lines of one ``logs`` call; the caller's thread looks at what others bring."""

    def __init__(self, engine: Engine, logbook: Logbook, app: AppName, process: str | None) -> None:
        self._engine = engine
        self._logbook = logbook
        self._app = app
        self._process = process
        self._shown: dict[str, datetime] = {}
        self._open: dict[str, bool] = {}
        self._streams: dict[str, ExitStack] = {}
        self._arriving: queue.SimpleQueue[_Item] = queue.SimpleQueue()

    def last(self, tail: int) -> Iterator[Line]:
        """The newest ``tail`` lines of all tasks, present and former, oldest first."""
        lines = self._logbook.read(self._app, self._process, tail) if tail else []
        for container, slot in self._containers().items():
            own = self._backlog(container, tail)
            self._shown[container] = own[-1].at if own else _BEGINNING
            lines += [(slot, line) for line in own]
        lines.sort(key=lambda item: item[1].at)
        yield from lines[-tail:] if tail else []

    def follow(self, tail: int, stop: Callable[[], bool]) -> Iterator[Line | None]:
        """``last``, None, then every new line of every task, also of ones that start later.

        None also whenever nothing comes for a moment.
        """
        with ExitStack() as streams:
            streams.callback(self._close_all)
            self._bring(self._starts(streams.enter_context(self._engine.events())))
            yield from self.last(tail)
            yield None
            while not stop():
                try:
                    item = self._arriving.get(timeout=_LOOK_SECONDS)
                except queue.Empty:
                    yield None
                else:
                    yield from self._look_at(item)

    def _look_at(self, item: _Item) -> Iterator[Line]:
        if isinstance(item, _Written):
            self._shown[item.container] = item.line.at
            yield item.slot, item.line
        elif isinstance(item, _Connected):
            for container, slot in self._containers().items():
                if container not in self._open:
                    self._follow(container, slot)
        elif isinstance(item, _StreamEnded):
            self._streams.pop(item.container).close()  # a connection to Docker each, for days
            if self._open.pop(item.container, False):
                self._follow(item.container, item.slot)
        elif item.container in self._open:
            self._open[item.container] = True  # a restart; its former stream is about to end
        else:
            self._follow(item.container, item.slot)

    def _containers(self) -> dict[str, str]:
        found = self._engine.containers({labels.APP: self._app, labels.ROLE: labels.TASK})
        slots = {info.id: str(labels.slot_of(info.labels)) for info in found}
        return {key: slot for key, slot in slots.items() if matches(slot, self._process)}

    def _backlog(self, container: str, tail: int) -> list[LogLine]:
        """At least one line is asked for: it tells from when on lines are new."""
        with suppress(PushdeployError), self._engine.logs(container, tail=max(tail, 1)) as lines:
            return list(lines)
        return []

    def _follow(self, container: str, slot: str) -> None:
        """Of what a container has said before, only lines not yet shown are brought.

        The engine has no "after this line", so the last ones come again and are left out.
        """
        shown = self._shown.get(container)
        tail = None if shown is None else _OVERLAP_LINES
        stream = ExitStack()
        with suppress(PushdeployError):
            lines = stream.enter_context(self._engine.logs(container, tail=tail, follow=True))
            self._streams[container] = stream
            self._open[container] = False
            self._bring(_news(container, slot, lines, shown or _BEGINNING))

    def _close_all(self) -> None:
        for stream in self._streams.values():
            stream.close()

    def _starts(self, events: Iterator[EngineEvent]) -> Iterator[_Item]:
        for event in events:
            if event.action == "connected":
                yield _Connected()
            slot = labels.slot_of(event.labels)
            ours = slot is not None and event.labels[labels.APP] == self._app
            if event.action == "start" and ours and matches(str(slot), self._process):
                yield _Started(event.container, str(slot))

    def _bring(self, items: Iterator[_Item]) -> None:
        """Queue the items on a thread of their own; it ends when their stream is closed."""

        def bring() -> None:
            with suppress(PushdeployError):
                for item in items:
                    self._arriving.put(item)

        threading.Thread(target=bring, name="logs", daemon=True).start()


def _news(container: str, slot: str, lines: Iterator[LogLine], shown: datetime) -> Iterator[_Item]:
    with suppress(PushdeployError):
        yield from (_Written(container, slot, line) for line in lines if line.at > shown)
    yield _StreamEnded(container, slot)
