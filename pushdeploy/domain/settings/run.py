"""These settings of an app decide how its tasks run."""

from collections.abc import Sequence
from dataclasses import dataclass

from pushdeploy.domain.capabilities import parse_capabilities
from pushdeploy.domain.settings.setting import HOUR, Affects, Setting, seconds, setting, switch

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

    ``heroku_names``: tasks are told their release under Heroku's names of the variables too.
    """

    boot_timeout_seconds: int = seconds(
        "boot-timeout", "until a process is healthy", 60, 1, HOUR, Affects.TASKS
    )
    stop_grace_seconds: int = seconds("stop-grace", "from SIGTERM to SIGKILL", 30, 1, HOUR)
    capabilities: Sequence[str] = setting((), _CAPABILITIES)
    heroku_names: bool = switch("heroku-names", "HEROKU_* beside our own vars", Affects.TASKS)
