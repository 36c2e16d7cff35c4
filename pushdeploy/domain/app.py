"""An app and the settings that a person gives it, apart from its config vars."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pushdeploy.domain.disk import CutOver
from pushdeploy.domain.names import AppName, KeyName, ProcessType

FIRST_UID = 20_000
"""The lowest uid of an app: each app runs as ``FIRST_UID + app.id``."""

DEPLOY_BRANCH = "main"
"""The branch that deploys where nobody has said another."""

_FIRST_BRANCHES = (DEPLOY_BRANCH, "master")

APP_GROUP = 1000
"""The gid that owns /app in every slug of ours."""


@dataclass(frozen=True, slots=True)
class AppSettings:
    """Times in seconds, sizes in bytes; ``deploy_branch`` None: see ``deploy_branch_of``.

    ``buffering`` and ``header_names`` are explained by ``RouteSettings``.
    ``watch_seconds``: how long after it went live a release is told of processes that end;
    ``push_waits``: whoever asked for the release waits so long.
    ``heroku_names``: tasks are told their release under Heroku's names of the variables too.
    ``cut_over`` None: exclusive where there is a disk. ``disk_limits_bytes`` are by disk name, and
    the disks in ``without_snapshots`` are never copied. ``capabilities`` are those that a person
    has granted beyond the ordinary ones.
    """

    deploy_branch: str | None = None
    release_timeout_seconds: int = 3600
    boot_timeout_seconds: int = 60
    stop_grace_seconds: int = 30
    drain_seconds: int = 30
    body_limit_bytes: int = 100 * 1024 * 1024
    read_timeout_seconds: int = 60
    buffering: bool = False
    header_names: Literal["standard", "any"] = "standard"
    heroku_names: bool = False
    watch_seconds: int = 10
    push_waits: bool = False
    cut_over: CutOver | None = None
    without_snapshots: Sequence[str] = ()
    disk_limits_bytes: Mapping[str, int] = field(default_factory=dict)
    capabilities: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class AppLock:
    """A person wants no pushes and no promotions for now."""

    by: KeyName
    message: str
    at: datetime


@dataclass(frozen=True, slots=True)
class App:
    """``current_version`` points at the live release; ``formation`` holds what a person scaled.

    ``put_back`` is a snapshot that its disks must be restored from before anything of it runs: a
    release has begun to change them and is not live.
    """

    id: int
    name: AppName
    created_at: datetime
    settings: AppSettings
    formation: Mapping[ProcessType, int]
    current_version: int | None = None
    stopped: bool = False
    put_back: int | None = None
    lock: AppLock | None = None

    @property
    def uid(self) -> int:
        return FIRST_UID + self.id


def deploy_branch_of(app: App | None, offered: Sequence[str]) -> str:
    """The app's setting, else main; master where a first push has that and no main ``offered``."""
    if app is not None and app.settings.deploy_branch:
        return app.settings.deploy_branch
    if app is not None and app.current_version is not None:
        return DEPLOY_BRANCH
    return next((branch for branch in _FIRST_BRANCHES if branch in offered), DEPLOY_BRANCH)
