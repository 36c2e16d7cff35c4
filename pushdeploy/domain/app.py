"""An app has settings, a formation and a branch that deploys it; its releases refer to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pushdeploy.domain.front.rules import FrontRules
from pushdeploy.domain.names import AppName, KeyName, ProcessType
from pushdeploy.domain.settings import AppSettings

FIRST_UID = 20_000
"""The lowest uid of an app: each app runs as ``FIRST_UID + app.id``."""

DEPLOY_BRANCH = "main"
"""The branch that deploys where nobody has said another."""

_FIRST_BRANCHES = (DEPLOY_BRANCH, "master")

APP_GROUP = 1000
"""The gid that owns /app in every slug of ours."""


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
    front: FrontRules = field(default_factory=FrontRules, repr=False)

    @property
    def uid(self) -> int:
        return FIRST_UID + self.id


def deploy_branch_of(app: App | None, offered: Sequence[str]) -> str:
    """The app's setting, else main; master where a first push has that and no main ``offered``."""
    if app is not None and app.settings.deploy.deploy_branch:
        return app.settings.deploy.deploy_branch
    if app is not None and app.current_version is not None:
        return DEPLOY_BRANCH
    return next((branch for branch in _FIRST_BRANCHES if branch in offered), DEPLOY_BRANCH)
