"""Engines are told of containers, images, lines and events by these values, and tell them too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

from pushdeploy.domain.names import ImageDigest

ISOLATED = "isolated"
"""A network of the instance's own that leads nowhere: the host reaches in, nothing gets out."""


@dataclass(frozen=True, slots=True)
class ContainerSpec:
    """A spec describes a container to create.

    Sizes in bytes; ``mounts`` are (host path, container path) pairs.

    ``command`` and ``entrypoint`` None leave the image's own. It has the ``capabilities`` that are
    named and no others. ``network`` None gives the instance's own bridge, ``ISOLATED`` the one
    without a way out, "none" no network at all, "container:ID" that of a container which runs.
    ``alone`` names a bridge of either kind that is shared with no other name. The input ends with
    the connection of whoever is attached, but for ``stdin_stays``.
    """

    image: str
    name: str
    labels: Mapping[str, str]
    command: Sequence[str] | None = None
    entrypoint: Sequence[str] | None = None
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    user: str | None = None
    groups: Sequence[int] = ()
    working_dir: str | None = None
    mounts: Sequence[tuple[str, str]] = ()
    read_only_mounts: Sequence[tuple[str, str]] = ()
    network: str | None = None
    alone: str = ""
    memory_bytes: int = 0
    cpus: float = 0
    cpu_shares: int = 0
    pids: int = 0
    capabilities: Sequence[str] = ()
    tty: bool = False
    open_stdin: bool = False
    stdin_stays: bool = False
    stop_grace_seconds: int = 30


@dataclass(frozen=True, slots=True)
class ContainerInfo:
    """The engine tells this of a container; ``address`` is empty while it has none.

    ``kept`` tells whether the engine restarts it (``keep_running``). ``started_at`` is when it
    was started last, None where it never was. ``pid`` is its first process as the engine's machine
    sees it, 0 while it does not run.
    """

    id: str
    name: str
    image: ImageDigest
    labels: Mapping[str, str]
    state: Literal["created", "running", "paused", "restarting", "removing", "exited", "dead"]
    exit_code: int | None
    out_of_memory: bool
    address: str
    created_at: datetime
    restarts: int = 0
    kept: bool = False
    started_at: datetime | None = None
    pid: int = 0


@dataclass(frozen=True, slots=True)
class LogLine:
    """A line of a container, without its newline; ``stream`` 1 is stdout, 2 is stderr."""

    at: datetime
    stream: Literal[1, 2]
    text: str


@dataclass(frozen=True, slots=True)
class EngineEvent:
    """``action`` as Docker names it: start, die, destroy, oom; or ``connected`` (again)."""

    action: str
    container: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """``triggers`` are its ONBUILD instructions, which run in the build of what stands on it."""

    id: ImageDigest
    labels: Mapping[str, str]
    size_bytes: int
    tags: Sequence[str]
    command: Sequence[str]
    entrypoint: Sequence[str]
    exposed_ports: Sequence[int]
    user: str
    working_dir: str
    created_at: datetime | None = None
    triggers: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ImageChange:
    """``commit`` writes this into the new image's configuration; the rest is the parent's."""

    labels: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    working_dir: str | None = None
    user: str | None = None


@dataclass(frozen=True, slots=True)
class BuildTool:
    """A build tool is BuildKit or the classic builder, with the engine's version."""

    buildkit: bool
    version: tuple[int, int]


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """``arguments`` are build args, which stay in the image's history; ``secrets`` are for steps
    that mount them, with BuildKit. ``ca_bundle`` is given to RUN steps where that is possible.

    What a build may reuse of former ones: with BuildKit all that was built in the same ``scope``,
    a word of the app's own; with the classic builder what ``cached_from``, images, stand on.
    """

    labels: Mapping[str, str]
    arguments: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    memory_bytes: int = 0
    cpus: float = 0
    timeout_seconds: float = 1800
    ca_bundle: Path | None = None
    scope: str = field(default="", repr=False)
    cached_from: Sequence[str] = ()
