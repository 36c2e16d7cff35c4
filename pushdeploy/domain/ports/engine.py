"""The port of Docker, as far as pushdeploy needs it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import BinaryIO, Literal, Protocol

from pushdeploy.domain.container import (
    ContainerInfo,
    ContainerSpec,
    EngineEvent,
    ImageChange,
    ImageInfo,
    LogLine,
)
from pushdeploy.domain.names import ImageDigest
from pushdeploy.domain.ports.dockerfile_builds import DockerfileBuilds
from pushdeploy.domain.ports.networks import Networks


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
        """Send the signal; nothing happens when the container is not running."""

    def wait(self, container: str) -> int:
        """Block until it has exited: the exit code."""

    def remove(self, container: str) -> None:
        """Kill and remove; nothing happens when it is gone."""

    def keep_running(self, container: str, always: bool) -> None:
        """Tell whether the engine restarts it after a crash or a boot."""

    def inspect(self, container: str) -> ContainerInfo | None: ...
    def containers(self, labels: Mapping[str, str]) -> Sequence[ContainerInfo]:
        """List containers of this instance with these labels, running or not, oldest first."""

    def attach(self, container: str, tty: bool) -> Attached:
        """Attach to a container before ``start``."""

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
