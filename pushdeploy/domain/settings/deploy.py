"""These settings of an app decide how a new version of it goes live."""

import re
from dataclasses import dataclass

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.settings.setting import (
    DAY,
    HOUR,
    Affects,
    Setting,
    seconds,
    setting,
    switch,
)

_BRANCH = re.compile(r"(?!.*(\.\.|//|@\{|\.lock$|\.$|/$))[A-Za-z0-9_][A-Za-z0-9._/@+-]{0,199}")


def _parse_branch(text: str) -> str:
    branch = text.removeprefix("refs/heads/")
    if not _BRANCH.fullmatch(branch):
        raise UserError(f"{text[:80]!r} is not a branch", "give its name, such as main")
    return branch


_DEPLOY_BRANCH = Setting(
    "deploy-branch",
    "the branch that deploys",
    Affects.NOTHING,
    _parse_branch,
    lambda branch: branch or "",
    unset="main, or the branch of the first push",
)


@dataclass(frozen=True, slots=True)
class DeploySettings:
    """``deploy_branch`` None: see ``deploy_branch_of``.

    ``watch_seconds``: how long after it went live a release is told of processes that end;
    ``push_waits``: whoever asked for the release waits so long.
    """

    deploy_branch: str | None = setting(None, _DEPLOY_BRANCH)
    release_timeout_seconds: int = seconds(
        "release-timeout", "of the release command", HOUR, 1, 7 * DAY, Affects.RELEASE
    )
    watch_seconds: int = seconds(
        "watch", "of a new release's processes", 10, 0, HOUR, Affects.RELEASE
    )
    push_waits: bool = switch("push-waits", "for the end of that watch", Affects.RELEASE)
