"""The plugs: what each back-end must offer, as plain nouns."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO, Literal, Protocol

from pushdeploy.domain.build_ports import DockerfileBuilds
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.container import (
    ContainerInfo,
    ContainerSpec,
    EngineEvent,
    ImageChange,
    ImageInfo,
    LogLine,
)
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.gate import Gate
from pushdeploy.domain.history import Divergence
from pushdeploy.domain.manifest import Manifest
from pushdeploy.domain.names import AppName, CommitId, ImageDigest
from pushdeploy.domain.network_ports import Networks
from pushdeploy.domain.route import Route, Target
from pushdeploy.domain.slug import Slug
from pushdeploy.domain.source import Source
from pushdeploy.domain.task import Ended, Slot, Specimen, Task, Tried

# --------------------------------------------------------------------------- engine


class Attached(Protocol):
    """A container's standard streams, attached before it starts."""

    def read(self) -> tuple[Literal[1, 2], bytes] | None:
        """The next bytes of stdout (1) or stderr (2; never with a tty), None at the end."""

    def write(self, data: bytes) -> None:
        """Bytes for stdin."""

    def end_input(self) -> None:
        """No more stdin."""

    def close(self) -> None: ...


class Engine(DockerfileBuilds, Networks, Protocol):
    """Docker, as far as pushdeploy needs it. ``BackendDown`` whenever it does not answer.

    ``create`` and ``image`` never pull. What is created carries the label of ``instance``; nothing
    else is ever listed.
    """

    instance: str

    def version(self) -> str: ...
    def create(self, spec: ContainerSpec) -> str:
        """The id of the new container."""

    def start(self, container: str) -> None: ...
    def stop(self, container: str, grace_seconds: int) -> None: ...
    def signal(self, container: str, name: str) -> None:
        """Nothing happens when it is not running."""

    def wait(self, container: str) -> int:
        """Block until it has exited: the exit code."""

    def remove(self, container: str) -> None:
        """Kill and remove; nothing happens when it is gone."""

    def keep_running(self, container: str, always: bool) -> None:
        """Whether the engine restarts it after a crash or a boot."""

    def inspect(self, container: str) -> ContainerInfo | None: ...
    def containers(self, labels: Mapping[str, str]) -> Sequence[ContainerInfo]:
        """All containers of this instance with these labels, running or not, oldest first."""

    def attach(self, container: str, tty: bool) -> Attached:
        """Before ``start``."""

    def resize(self, container: str, columns: int, rows: int) -> None: ...
    def execute(self, container: str, command: Sequence[str], timeout_seconds: float) -> int:
        """Run a command inside a running container: its exit code (124 after the time-out)."""

    def logs(
        self, container: str, *, tail: int | None = None, follow: bool = False
    ) -> AbstractContextManager[Iterator[LogLine]]:
        """Oldest first; ``follow`` goes on until the container ends or the context is left."""

    def put_archive(self, container: str, path: str, tar: Iterable[bytes]) -> None: ...
    def get_archive(self, container: str, path: str) -> AbstractContextManager[Iterator[bytes]]:
        """A tar stream of ``path``."""

    def commit(self, container: str, tag: str, change: ImageChange) -> ImageDigest: ...
    def image(self, reference: str) -> ImageInfo | None: ...
    def images(self, labels: Mapping[str, str]) -> Sequence[ImageInfo]: ...
    def tag(self, image: str, tag: str) -> None: ...
    def remove_image(self, reference: str) -> None:
        """Untag, and delete when nothing else holds it; no error when it is gone or in use."""

    def pull(self, reference: str) -> ImageDigest: ...
    def import_image(self, tar: BinaryIO, tag: str, change: ImageChange) -> ImageDigest: ...
    def layer_sizes(self) -> Mapping[str, int]:
        """The bytes that each running container has written beside its mounts, by its id."""

    def events(self) -> AbstractContextManager[Iterator[EngineEvent]]:
        """Events of this instance's containers, for ever; reconnects by itself."""


# --------------------------------------------------------------------------- streams


@dataclass(frozen=True, slots=True)
class WindowSize:
    columns: int = 80
    rows: int = 24


class Streams(Protocol):
    """Where a one-off container's input and output go: an ssh channel, or a release's record."""

    terminal: str | None
    """TERM of the client's pty, None without one."""

    def read(self, most: int = 65536) -> bytes:
        """The next bytes of input, ``most`` of them at the most; blocks; empty at the end."""

    def write(self, data: bytes) -> None:
        """All of ``data``; what a client that has gone would have read is dropped."""

    def write_error(self, data: bytes) -> None: ...
    def on_resize(self, resized: Callable[[WindowSize], None]) -> None:
        """Call ``resized`` with the present size and at each change, not on a reader's thread."""


# --------------------------------------------------------------------------- output


class Output(Protocol):
    """What a person reads while something is done for them. See ``pushdeploy.output``."""

    def step(self, title: str) -> AbstractContextManager[None]: ...
    def headline(self, text: str) -> None: ...
    def detail(self, text: str) -> None: ...
    def trouble(self, text: str) -> None: ...
    def line(self, text: str) -> None:
        """A line of the app's own, as it is."""

    def failure(self, error: PushdeployError) -> None:
        """What failed, what it said, what still serves, what to type next."""

    def also(
        self, sink: Callable[[str], None], timed: Callable[[str, float], None] | None = None
    ) -> "Output":
        """An output that writes here and to ``sink``, and tells ``timed`` of its steps."""

    def prefixed(self, prefix: str) -> "Output":
        """An output whose lines come here behind ``prefix``, for several that speak at once."""


# --------------------------------------------------------------------------- back-ends


class Builder(Protocol):
    """Source → Slug."""

    def build(
        self,
        source: Source,
        app_id: int,
        config: Mapping[str, str],
        output: Output,
        cancellation: Cancellation,
    ) -> Slug:
        """Reuses the app's slug of an equal tree, builder and stack. ``BuildFailed`` otherwise.

        ``app_id``, which an app keeps for life, says whose caches are used: never another's.
        """

    def find(self, key: str) -> Slug | None: ...
    def has(self, slug: Slug) -> bool:
        """Whether its image is on this machine."""


class Scheduler(Protocol):
    """Release → Tasks. What it starts carries labels from which ``tasks`` reads it back."""

    def run(
        self,
        manifest: Manifest,
        slots: Sequence[Slot],
        output: Output,
        cancellation: Cancellation,
        gate: Gate | None = None,
    ) -> Sequence[Task]:
        """Start these slots side by side and wait until all are healthy.

        One that does not become healthy raises ``BootFailed`` with its last log lines, and none
        of them is left. The tasks of other calls are not touched. Behind a ``gate`` they are made
        ready, and begin when it opens; ``Cancelled`` when it is shut. The engine looks after those
        from ``confirm`` on: that takes it a moment, in which traffic may move already.
        """

    def run_once(
        self,
        manifest: Manifest,
        command: str,
        name: str,
        streams: Streams,
        timeout_seconds: float | None,
        cancellation: Cancellation,
        environment: Mapping[str, str] | None = None,
        gate: Gate | None = None,
        beside: str = "",
        ended: Callable[[int], None] | None = None,
    ) -> int:
        """Run ``command`` through a shell in a one-off container: its exit code (124: time-out).

        ``name`` becomes DYNO (``release.17``, ``run.9157``). The container is gone afterwards,
        also after a cancel, which raises ``Cancelled``. Behind a ``gate`` it is made ready, without
        input, and the command begins when it opens; ``Cancelled`` when it is shut.

        ``beside`` may name the container of a task whose network it is to share: one of its own
        takes longer to make than everything else. ``ended`` is called with the exit code as soon
        as it is known, before the container is removed.
        """

    def try_out(
        self,
        manifest: Manifest,
        slot: Slot,
        grace_seconds: int,
        output: Output,
        cancellation: Cancellation,
    ) -> Tried:
        """Start one process, wait until it is healthy, and stop it again: what each took.

        It never was a task. ``BootFailed`` as with ``run``; nothing is left in any case.
        """

    def watching(self, tasks: Sequence[Task], fallen: Cancellation) -> AbstractContextManager[None]:
        """While inside, cancel ``fallen`` when one of them has ended. The engine is not asked."""

    def confirm(self, tasks: Sequence[Task]) -> None:
        """From now on the engine looks after them: it starts them anew when they end.

        ``BootFailed`` with its last log lines when one does not run on as it was started.
        """

    def listening(self, tasks: Sequence[Task]) -> Sequence[Task]:
        """Without web tasks that nothing can be connected to: dead, or not ready again."""

    def deaths(self, app: AppName, version: int) -> Sequence[Ended]:
        """The places of a release whose processes ended by themselves, as far as was seen."""

    def stop(self, tasks: Sequence[Task], grace_seconds: int) -> None:
        """SIGTERM, the grace period, SIGKILL; side by side; then remove. Keeps their last logs."""

    def finish_once(
        self, app: AppName, name: str, timeout_seconds: float, line: Callable[[str], None]
    ) -> int | None:
        """Wait for a one-off that a killed server left: its exit code, None where there is none.

        Its time-out goes on from its start, as with ``run_once``. ``line`` gets all that it
        printed. The container is gone afterwards.
        """

    def note(self, task: Task, text: str) -> None:
        """Put a line of ours among those of the task's log."""

    def remove_strays(self, app: AppName | None = None) -> int:
        """Remove one-off containers that a killed server left: how many.

        Release commands that still run are left to end, unless ``app`` is to be rid of everything.
        What rehearsals have left goes with those of all apps.
        """

    def tasks(self, app: AppName | None = None) -> Sequence[Task]:
        """What runs, read from the containers' labels."""

    def specimens(self, app: AppName) -> Sequence[Specimen]:
        """Every running container that carries the app's label, but for those of builds."""

    def logs(
        self,
        app: AppName,
        *,
        tail: int,
        follow: bool,
        process: str | None,
        stop: Callable[[], bool],
    ) -> Iterator[tuple[str, LogLine]]:
        """Lines of all tasks merged by time with their slot's name; kept ones of former tasks too.

        ``process`` is a type (``web``) or a slot (``web.1``). Following ends when ``stop()``.
        """

    def forget_logs(self, app: AppName) -> None:
        """Remove the kept logs of former tasks."""

    def rename_logs(self, app: AppName, new: AppName) -> None:
        """The kept logs follow an app to its new name."""

    def changes(self) -> AbstractContextManager[Iterator[AppName | None]]:
        """An item whenever the tasks of an app changed by themselves; None: look at all."""


class Router(Protocol):
    """Tasks → HTTP."""

    def start(self) -> None:
        """Make the proxy run, adopting one that already does. ``BackendDown`` with the reason."""

    def hold(
        self, route: Route, leaving: Sequence[Target], drain_seconds: float, output: Output
    ) -> AbstractContextManager[None]:
        """Keep the app's requests waiting instead of sending them to ``leaving``.

        ``route`` is the present one. Entered when no request is at ``leaving`` any more, or
        ``drain_seconds`` have passed; inside, nothing new reaches ``leaving``: stop them there.
        The requests are held until ``switch``, also after the context is left, each for the
        router's hold_seconds at the most. ``RouteFailed`` or ``BackendDown`` leaves the former
        route as it was.
        """

    def switch(
        self,
        route: Route,
        leaving: Sequence[Target],
        drain_seconds: float,
        output: Output,
        fallen: Cancellation | None = None,
    ) -> None:
        """Send the app's requests to ``route.targets``, those that are held first.

        It waits for nothing any more when ``fallen`` is cancelled, which raises ``RouteFailed``.

        Returns when they have answered through the proxy and nothing is connected to ``leaving``
        any more, or ``drain_seconds`` have passed. ``RouteFailed`` leaves the former route as
        it was; but where requests were held, they have gone to ``route.targets`` all the same.
        """

    def routes(self, routes: Sequence[Route]) -> None:
        """Make exactly these the routes, with one reload at most; a bad one is left out.

        What is held of an app whose route is not ``held`` any more goes to its targets.
        """

    def remove(self, app: AppName) -> None: ...
    def watch(self, stopping: threading.Event) -> None:
        """Start the proxy again whenever it ends by itself, until ``stopping``; on a thread."""

    def rotate_logs(self) -> None:
        """Called now and then, so that the proxy's own logs do not fill the file system."""


class Refs(Protocol):
    """The branches of the apps' repositories."""

    def ensure(self, app: AppName) -> bool:
        """Make the app's repository where there is none: whether it was made now."""

    def read(self, app: AppName, ref: str) -> CommitId | None: ...
    def move(self, app: AppName, ref: str, old: CommitId | None, new: CommitId) -> bool:
        """Compare and set: False when the ref is not at ``old``."""

    def source(self, app: AppName, commit: CommitId) -> Source | None:
        """A commit that the repository already holds."""

    def related(self, app: AppName, commit: CommitId, other: AppName, base: CommitId) -> bool:
        """Whether a commit of one repository and one of another share any history."""

    def divergence(
        self, app: AppName, commit: CommitId, other: AppName, base: CommitId | None
    ) -> Divergence:
        """What only ``commit`` of one repository and only ``base`` of another have behind them.

        ``UserError`` where one of them is not there any more.
        """

    def share(self, app: AppName, other: AppName, commit: CommitId) -> None:
        """Give a commit of ``app`` with its history to the repository of ``other`` too."""

    def rename(self, app: AppName, new: AppName) -> None: ...
    def remove(self, app: AppName) -> None: ...
