"""An app and the settings that a person gives it, apart from its config vars."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from pushdeploy.domain.names import AppName, KeyName, ProcessType

FIRST_UID = 20_000
"""The lowest uid of an app: each app runs as ``FIRST_UID + app.id``."""

APP_GROUP = 1000
"""The gid that owns /app in every slug of ours."""


@dataclass(frozen=True, slots=True)
class AppSettings:
    """Times in seconds, sizes in bytes; ``deploy_branch`` None: main, or master if first.

    ``heroku_names``: tasks are told their release under Heroku's names of the variables too.
    """

    deploy_branch: str | None = None
    release_timeout_seconds: int = 3600
    boot_timeout_seconds: int = 60
    stop_grace_seconds: int = 30
    drain_seconds: int = 30
    body_limit_bytes: int = 100 * 1024 * 1024
    heroku_names: bool = False


@dataclass(frozen=True, slots=True)
class AppLock:
    """A person wants no pushes and no promotions for now."""

    by: KeyName
    message: str
    at: datetime


@dataclass(frozen=True, slots=True)
class App:
    """``current_version`` points at the live release; ``formation`` holds what a person scaled."""

    id: int
    name: AppName
    created_at: datetime
    settings: AppSettings
    formation: Mapping[ProcessType, int]
    current_version: int | None = None
    stopped: bool = False
    lock: AppLock | None = None

    @property
    def uid(self) -> int:
        return FIRST_UID + self.id
