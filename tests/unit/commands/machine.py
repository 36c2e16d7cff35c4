"""A server without containers: real store, locks, disks and repositories; tasks in memory."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pushdeploy.commands.dispatch import Commands
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.names import (
    AppName,
    CommitId,
    HostName,
    ImageDigest,
    KeyName,
    ProcessType,
    TreeId,
)
from pushdeploy.domain.ports.streams import WindowSize
from pushdeploy.domain.public_key import PublicKey
from pushdeploy.domain.release import Candidate, Reason, Release
from pushdeploy.domain.slug import Slug
from pushdeploy.instance import Home
from pushdeploy.output import Quiet
from pushdeploy.settings import Address, load_settings
from pushdeploy.wiring import Wiring
from pushdeploy.wiring.back_ends import Given
from tests.databases import make_database
from tests.fakes import FakeEngine
from tests.memory import MemoryRouter, MemoryScheduler, NoBuilder

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

    def sends_within(self, seconds: float) -> bool:
        return True

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
        make_database(Home(self.home).database)
        return Wiring(
            settings,
            Home(self.home),
            "test",
            engine=self.engine,
            given=Given(self.scheduler, self.router, NoBuilder(self.engine)),
        )


def refused(answer: Answer, reason: str, hint: str = "") -> bool:
    """Tell whether a command ended with exit code 1, this reason and this hint."""
    return answer.status == 1 and reason in answer.errors and hint in answer.errors


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
