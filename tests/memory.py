"""Back-ends that keep in memory what real ones would do; the contracts hold them to it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ssl import PEM_cert_to_DER_cert

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.certificate import Pem
from pushdeploy.domain.container import LogLine
from pushdeploy.domain.errors import BackendDown, BootFailed, BuildFailed, Cancelled, RouteFailed
from pushdeploy.domain.finding import Finding
from pushdeploy.domain.manifest import Manifest
from pushdeploy.domain.names import (
    AppName,
    HostName,
    ProcessType,
)
from pushdeploy.domain.one_off import OneOff
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.ports.request_log import RequestLog
from pushdeploy.domain.ports.start_gate import StartGate
from pushdeploy.domain.ports.streams import Streams
from pushdeploy.domain.route import Route, Target, held
from pushdeploy.domain.slug import Slug
from pushdeploy.domain.source import Source
from pushdeploy.domain.task import Slot, SlotDeaths, Specimen, Task, Tried
from pushdeploy.stand_in import make_stand_in
from tests.fakes import FakeEngine

STAND_IN = make_stand_in()
_END = "-----END CERTIFICATE-----"
_STARTED_AT = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)


def _all_begin(gate: StartGate, many: int) -> bool:
    """Let so many tasks wait at the gate side by side, and at least one."""
    with ThreadPoolExecutor(many or 1) as waiting:
        return all(list(waiting.map(lambda _: gate.wait(), range(many or 1))))


@dataclass(slots=True)
class MemoryScheduler:
    """Tasks that are always healthy, but for the types in ``broken`` and the ``broken_apps``."""

    running: list[Task] = field(default_factory=list)
    broken: set[ProcessType] = field(default_factory=set)
    once: list[OneOff] = field(default_factory=list)
    terminals: list[str | None] = field(default_factory=list)
    exit_code: int = 0
    lines: list[tuple[str, LogLine]] = field(default_factory=list)
    asked: dict[str, object] = field(default_factory=dict)
    started: int = 0
    strangers: list[Specimen] = field(default_factory=list)
    broken_apps: set[AppName] = field(default_factory=set)
    defects: set[AppName] = field(default_factory=set)
    written: dict[str, int] = field(default_factory=dict)
    ended: list[tuple[int, SlotDeaths]] = field(default_factory=list)

    def run(
        self,
        manifest: Manifest,
        slots: Sequence[Slot],
        output: Output,
        cancellation: Cancellation,
        gate: StartGate | None = None,
    ) -> Sequence[Task]:
        if gate is not None and not _all_begin(gate, len(slots)):
            raise Cancelled("the gate was shut")
        if manifest.app in self.defects:
            raise ZeroDivisionError
        everything = manifest.app in self.broken_apps
        if bad := [slot for slot in slots if everything or slot.process_type in self.broken]:
            raise BootFailed(f"{bad[0]} did not start", log_tail=["no module named shop"])
        tasks = [self._task(manifest, slot) for slot in slots]
        self.running += tasks
        return tasks

    def run_once(
        self,
        one_off: OneOff,
        streams: Streams,
        cancellation: Cancellation,
        gate: StartGate | None = None,
        ended: Callable[[int], None] | None = None,
    ) -> int:
        if gate is not None and not gate.wait():
            raise Cancelled("the gate was shut: the command never began")
        self.once.append(one_off)
        self.terminals.append(streams.terminal)
        streams.write(streams.read())
        if ended is not None:
            ended(self.exit_code)
        return self.exit_code

    def try_out(
        self,
        manifest: Manifest,
        slot: Slot,
        grace_seconds: int,
        output: Output,
        cancellation: Cancellation,
    ) -> Tried:
        if manifest.app in self.broken_apps or slot.process_type in self.broken:
            raise BootFailed(f"{slot} did not start", log_tail=["no module named shop"])
        return Tried(0.5, 0.25)

    @contextmanager
    def watching(self, tasks: Sequence[Task], fallen: Cancellation) -> Iterator[None]:
        yield

    def confirm(self, tasks: Sequence[Task]) -> None:
        """They run on as they were started."""

    def listening(self, tasks: Sequence[Task]) -> Sequence[Task]:
        return tasks

    def deaths(self, app: AppName, version: int) -> Sequence[SlotDeaths]:
        return [each for at, each in self.ended if at == version]

    def stop(self, tasks: Sequence[Task], grace_seconds: int) -> None:
        self.running = [task for task in self.running if task not in tasks]

    def finish_once(
        self, app: AppName, name: str, timeout_seconds: float, line: Callable[[str], None]
    ) -> int | None:
        return None

    def note(self, task: Task, text: str) -> None:
        """Nobody reads logs here."""

    def written_bytes(self) -> Mapping[str, int]:
        return self.written

    def kill_one_off(self, container: str) -> str:
        return ""

    def remove_strays(self, app: AppName | None = None) -> int:
        return 0

    def tasks(self, app: AppName | None = None) -> Sequence[Task]:
        return [task for task in self.running if app in {None, task.app}]

    def specimens(self, app: AppName) -> Sequence[Specimen]:
        ours = [
            Specimen(
                app, task.container, task.container, task.image, str(task.slot), task.version, True
            )
            for task in self.tasks(app)
        ]
        return [*ours, *(each for each in self.strangers if each.app == app)]

    def logs(
        self,
        app: AppName,
        *,
        tail: int,
        follow: bool,
        process: str | None,
        stop: Callable[[], bool],
    ) -> Iterator[tuple[str, LogLine] | None]:
        self.asked = {"app": app, "tail": tail, "follow": follow, "process": process}
        yield from self.lines
        while follow and not stop():
            yield None

    def forget_logs(self, app: AppName) -> None:
        self.lines.clear()

    def rename_logs(self, app: AppName, new: AppName) -> None:
        """Lines are not told apart by app here."""

    def changes(self) -> AbstractContextManager[Iterator[AppName | None]]:
        return nullcontext(iter(()))

    def _task(self, manifest: Manifest, slot: Slot) -> Task:
        self.started += 1
        address = f"10.0.0.{self.started}"
        name = f"c{self.started}"
        return Task(
            manifest.app,
            slot,
            manifest.version,
            name,
            address,
            manifest.port,
            "up",
            _STARTED_AT,
            image=manifest.image,
        )


@dataclass(slots=True)
class MemoryRouter:
    """Routes by app; hosts in ``refused`` break the configuration."""

    table: dict[AppName, Route] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    tokens: dict[str, str] = field(default_factory=dict)
    shown: Mapping[HostName, Pem | None] = field(default_factory=dict)
    asked: dict[AppName, list[LogLine]] = field(default_factory=dict)
    shows_nothing: bool = False
    ever_shown: list[Mapping[HostName, Pem | None]] = field(default_factory=list)

    def start(self) -> None: ...
    def watch(self, over: Callable[[], bool]) -> None: ...
    def rotate_logs(self) -> None: ...
    def examine(self, *, serving: bool) -> Iterator[Finding]:
        return iter(())

    @contextmanager
    def hold(
        self, route: Route, leaving: Sequence[Target], drain_seconds: float, output: Output
    ) -> Iterator[None]:
        self.table[route.app] = held(route)
        yield

    def switch(
        self,
        route: Route,
        leaving: Sequence[Target],
        drain_seconds: float,
        output: Output,
        fallen: Cancellation | None = None,
    ) -> None:
        self._refuse(route)
        self.table[route.app] = route

    def refresh(self, route: Route) -> None:
        self._refuse(route)
        now = self.table.get(route.app)
        self.table[route.app] = held(route) if now is not None and now.is_held else route

    def routes(self, routes: Sequence[Route]) -> None:
        self.table = {route.app: route for route in routes}

    def challenge(self, token: str, answer: str | None) -> None:
        if answer is None:
            self.tokens.pop(token, None)
        else:
            self.tokens[token] = answer

    def certificates(self, pems: Mapping[HostName, Pem | None]) -> None:
        if self.shows_nothing:
            raise BackendDown("the disk is full")
        self.shown = dict(pems)
        self.ever_shown.append(self.shown)

    def certificate(self, host: str) -> bytes | None:
        """What visitors of a host are shown, in DER; None where no app has the host."""
        hosts = [each for route in self.table.values() for each in route.site.hosts]
        pem = self.shown.get(HostName(host))
        shown = pem or (STAND_IN if host in hosts else None)
        return PEM_cert_to_DER_cert(shown.chain.partition(_END)[0] + _END) if shown else None

    def remove(self, app: AppName) -> None:
        self.table.pop(app, None)
        self.asked.pop(app, None)

    def requests(self, app: AppName) -> RequestLog:
        return MemoryRequestLog(self.asked.setdefault(app, []))

    def rename_requests(self, app: AppName, new: AppName) -> None:
        self.asked[new] = self.asked.pop(app, [])

    def _refuse(self, route: Route) -> None:
        if self.refused & set(route.site.hosts):
            raise RouteFailed("nginx does not like it")


@dataclass(slots=True)
class MemoryRequestLog:
    """Router lines of a list that grows."""

    lines: list[LogLine]
    shown: int = 0

    def last(self, tail: int) -> Sequence[LogLine]:
        self.shown = len(self.lines)
        return self.lines[-tail:] if tail else []

    def news(self) -> Sequence[LogLine]:
        former, self.shown = self.shown, len(self.lines)
        return self.lines[former:]

    def close(self) -> None: ...


@dataclass(slots=True)
class NoBuilder:
    """Nothing is built here; what was, is an image of the engine."""

    engine: FakeEngine

    def sweep(self) -> None:
        """No build has left anything."""

    def build(
        self,
        source: Source,
        app_id: int,
        config: Mapping[str, str],
        output: Output,
        cancellation: Cancellation,
    ) -> Slug:
        raise BuildFailed("nothing can be built here")

    def find(self, key: str) -> Slug | None:
        return None

    def has(self, slug: Slug) -> bool:
        return self.engine.image(slug.image) is not None
