"""A slug: what a build leaves, the same bytes in every stage, with no configuration in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pushdeploy.domain.names import CommitId, ImageDigest, ProcessType, TreeId
from pushdeploy.domain.published import PublishedFolder


@dataclass(frozen=True, slots=True)
class Healthcheck:
    """A health check is an entry of app.json's ``healthchecks``, with times in seconds.

    ``path`` asks over HTTP on the web port; ``command`` runs inside the container; with neither,
    the process must stay up for ``uptime_seconds``.
    """

    name: str = "default"
    path: str | None = None
    command: Sequence[str] = ()
    content: str | None = None
    uptime_seconds: float | None = None
    initial_delay_seconds: float = 0
    attempts: int = 3
    wait_seconds: float = 5
    timeout_seconds: float = 5


@dataclass(frozen=True, slots=True)
class Slug:
    """``process_types`` maps each type to its command; an empty command means the image's own.

    ``release_command`` is not among them. ``runs_as`` tells whether the container is started as
    the app's own uid (``app``, in a slug of ours) or as the image says (``image``, a Dockerfile).
    ``port`` is the port that the image itself exposes, else None: web then listens on ``PORT``.
    ``key`` names tree + builder + stack: an equal key means an equal slug. ``published`` is the
    folder of a static site, whose visitors get its files and no process's answers.
    """

    image: ImageDigest
    key: str
    commit: CommitId
    tree: TreeId
    builder: str
    stack: str
    process_types: Mapping[ProcessType, str]
    release_command: str | None
    runs_as: Literal["app", "image"]
    size_bytes: int
    created_at: datetime
    port: int | None = None
    checks: Mapping[ProcessType, Sequence[Healthcheck]] = field(default_factory=dict)
    formation: Mapping[ProcessType, int] = field(default_factory=dict)
    published: PublishedFolder | None = None
