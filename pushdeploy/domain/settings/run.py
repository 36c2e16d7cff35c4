"""These settings of an app decide how its tasks run."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pushdeploy.domain.capabilities import parse_capabilities
from pushdeploy.domain.settings.setting import HOUR, Affects, seconds, switch, words


@dataclass(frozen=True, slots=True)
class RunSettings:
    """``capabilities`` are those that a person has granted beyond the ordinary ones.

    ``heroku_names``: tasks are told their release under Heroku's names of the variables too.
    """

    boot_timeout_seconds: int = field(
        default=60,
        metadata=seconds("boot-timeout", "until a process is healthy", Affects.TASKS, 1, HOUR),
    )
    stop_grace_seconds: int = field(
        default=30,
        metadata=seconds("stop-grace", "from SIGTERM to SIGKILL", Affects.NOTHING, 1, HOUR),
    )
    capabilities: Sequence[str] = field(
        default=(),
        metadata=words(
            "capabilities",
            "that root has in a Dockerfile's containers beyond the ordinary, as NET_RAW",
            Affects.TASKS,
            parse_capabilities,
        ),
    )
    heroku_names: bool = field(
        default=False,
        metadata=switch("heroku-names", "HEROKU_* beside our own vars", Affects.TASKS),
    )
