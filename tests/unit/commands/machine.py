"""A server without containers: real store, locks, disks and repositories; tasks in memory."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pushdeploy.commands.dispatch import Commands
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.container import LogLine
from pushdeploy.domain.errors import BootFailed, BuildFailed, Cancelled, RouteFailed
from pushdeploy.domain.finding import Finding
from pushdeploy.domain.manifest import Manifest
from pushdeploy.domain.names import (
    AppName,
    CommitId,
    HostName,
    ImageDigest,
    KeyName,
    ProcessType,
    TreeId,
)
from pushdeploy.domain.one_off import OneOff
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.ports.start_gate import StartGate
from pushdeploy.domain.ports.streams import Streams, WindowSize
from pushdeploy.domain.public_key import PublicKey
from pushdeploy.domain.release import Candidate, Reason, Release
from pushdeploy.domain.route import Route, Target, held
from pushdeploy.domain.slug import Slug
from pushdeploy.domain.source import Source
from pushdeploy.domain.task import Slot, SlotDeaths, Specimen, Task, Tried
from pushdeploy.instance import Home
from pushdeploy.output import Quiet
from pushdeploy.settings import Address, load_settings
from pushdeploy.store import Store
from pushdeploy.wiring import Wiring
from pushdeploy.wiring.back_ends import Given
from tests.fakes import FakeEngine

ADA = KeyName("ada")
SHOP = AppName("shop")
WEB = ProcessType("web")
WORKER = ProcessType("worker")
AT = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)


class Client:
    """The session of an ssh client that types ``typed`` and keeps what it is shown."""

    def __init__(self, typed: bytes = b"", terminal: str | None = None) -> None:
        self.by = ADA
        self.cancellation = Cancellation()
        self.terminal = terminal
        self.raw = False
        self.out = bytearray()
        self.errors = bytearray()
        self.columns = 80
        self._typed = [typed]

    def read(self, most: int = 65536) -> bytes:
        data, self._typed = self._typed[0][:most], [self._typed[0][most:]]
        return data

    def write(self, data: bytes) -> None:
        self.out += data

    def write_error(self, data: bytes) -> None:
        self.errors += data

    def on_resize(self, resized: Callable[[WindowSize], None]) -> None:
        if self.terminal is not None:
            resized(WindowSize(self.columns, 24))

    def raw_mode(self) -> None:
        self.raw = True


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    out: str
    errors: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


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
    ended: list[tuple[int, SlotDeaths]] = field(default_factory=list)

    def run(
        self,
        manifest: Manifest,
        slots: Sequence[Slot],
        output: Output,
        cancellation: Cancellation,
        gate: StartGate | None = None,
    ) -> Sequence[Task]:
        if gate is not None and not gate.wait():
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
    ) -> Iterator[tuple[str, LogLine]]:
        self.asked = {"app": app, "tail": tail, "follow": follow, "process": process}
        yield from self.lines

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
            AT,
            image=manifest.image,
        )


@dataclass(slots=True)
class MemoryRouter:
    """Routes by app; hosts in ``refused`` break the configuration."""

    table: dict[AppName, Route] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)

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
        if self.refused & set(route.site.hosts):
            raise RouteFailed("nginx does not like it")
        self.table[route.app] = route

    def routes(self, routes: Sequence[Route]) -> None:
        self.table = {route.app: route for route in routes}

    def remove(self, app: AppName) -> None:
        self.table.pop(app, None)


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


class Machine:
    """Type at it: ``machine.type("apps:list")``."""

    def __init__(
        self,
        home: Path,
        scheduler: MemoryScheduler | None = None,
        router: MemoryRouter | None = None,
        engine: FakeEngine | None = None,
        **settings: Any,
    ) -> None:
        self.home = home
        self.engine = engine or FakeEngine()
        self.scheduler = scheduler or MemoryScheduler()
        self.router = router or MemoryRouter()
        self.context = self._wiring(settings).context
        self.store = self.context.store
        self.store.keys.add(key_of(ADA))
        self.refs = self.context.back_ends.repositories
        self.caches = self.context.upkeep.leftovers.caches
        self.commands = Commands(self.context)

    def type(
        self, line: str, typed: bytes = b"", *, terminal: str | None = None, by: KeyName = ADA
    ) -> Answer:
        client = Client(typed, terminal)
        client.by = by
        return self.type_as(client, line)

    def type_as(self, client: Client, line: str) -> Answer:
        status = self.commands.run(line, client)
        return Answer(status, client.out.decode(), client.errors.decode())

    def live(self, app: AppName = SHOP, **slug: Any) -> Release:
        """A live release of ``app`` with its processes running."""
        if self.store.apps.find(app) is None:
            self.store.apps.create(app)
        built = slug_of(**slug)
        self.have(built)
        candidate = Candidate(
            app=app,
            slug=built,
            config=self.store.config.get(app),
            disks=self.store.disks.of(app),
            reason=Reason.DEPLOY,
            description="Deploy 4a4bd4d",
            by=ADA,
        )
        made = self.store.releases.create(candidate)
        self.store.releases.make_live(app, made.version)
        self.context.flow.converger.converge(app, Quiet())
        return self.store.releases.get(app, made.version)

    def have(self, slug: Slug) -> None:
        """Let the slug's image be on this machine."""
        if self.engine.image(slug.image) is None:
            self.engine.add_image(
                f"pushdeploy-{self.engine.instance}/slug:{slug.key}",
                labels={"pushdeploy.role": "slug"},
                digest=slug.image,
            )

    def places(self, app: AppName = SHOP) -> list[str]:
        """The processes that run, as web.1."""
        return sorted(str(task.slot) for task in self.scheduler.tasks(app))

    def hosts(self, app: AppName = SHOP) -> Sequence[HostName]:
        return self.router.table[app].site.hosts

    def audited(self) -> list[tuple[str, int | None]]:
        """(command, exit status), oldest first."""
        return [(entry.command, entry.exit_status) for entry in self.store.audit.list()][::-1]

    def _wiring(self, changed: Mapping[str, Any]) -> Wiring:
        http = Address("127.0.0.1", 8080)
        settings = load_settings(home=self.home, domain="apps.test", http=http, **changed)
        Store.open(settings.database_url).close()
        return Wiring(
            settings,
            Home(self.home),
            "test",
            engine=self.engine,
            given=Given(self.scheduler, self.router, NoBuilder(self.engine)),
        )


def key_of(name: str) -> PublicKey:
    return PublicKey(KeyName(name), "ssh-ed25519", f"AAAA{name}", f"SHA256:{name}")


def slug_of(**changes: Any) -> Slug:
    values: dict[str, Any] = {
        "image": ImageDigest("sha256:" + "5" * 64),
        "key": "key",
        "commit": CommitId(hashlib.sha1(b"shop").hexdigest()),
        "tree": TreeId("7" * 40),
        "builder": "python",
        "stack": "bookworm",
        "process_types": {WEB: "serve --port $PORT", WORKER: "work"},
        "release_command": None,
        "runs_as": "app",
        "size_bytes": 1000,
        "created_at": AT,
    }
    return Slug(**{**values, **changes})
