"""These settings of an app decide how its tasks run."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pushdeploy.domain.capabilities import parse_capabilities
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.settings.setting import HOUR, Affects, Setting, seconds, setting, switch

_SCHEDULER_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


def _parse_scheduler(text: str) -> str:
    if not _SCHEDULER_NAME.fullmatch(text):
        raise UserError(f"{text[:40]!r} is no scheduler", "docker-local is one")
    return text


_SCHEDULER = Setting(
    "scheduler",
    "what runs its processes",
    Affects.RELEASE,
    _parse_scheduler,
    lambda name: name or "",
    unset="that of the server",
)
_CAPABILITIES = Setting(
    "capabilities",
    "that root has in a Dockerfile's containers beyond the ordinary, as NET_RAW",
    Affects.TASKS,
    parse_capabilities,
    ",".join,
)


@dataclass(frozen=True, slots=True)
class RunSettings:
    """``capabilities`` are those that a person has granted beyond the ordinary ones.

    ``scheduler`` None: that of the server.

    ``heroku_names``: tasks are told their release under Heroku's names of the variables too.
    """

    boot_timeout_seconds: int = seconds(
        "boot-timeout", "until a process is healthy", 60, 1, HOUR, Affects.TASKS
    )
    stop_grace_seconds: int = seconds("stop-grace", "from SIGTERM to SIGKILL", 30, 1, HOUR)
    capabilities: Sequence[str] = setting((), _CAPABILITIES)
    heroku_names: bool = switch("heroku-names", "HEROKU_* beside our own vars", Affects.TASKS)
    scheduler: str | None = setting(None, _SCHEDULER)
