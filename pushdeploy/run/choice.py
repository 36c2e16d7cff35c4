"""The settings of a server name the scheduler that runs its apps."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from pushdeploy.discover import chosen
from pushdeploy.domain.ports.engine import Engine
from pushdeploy.domain.ports.scheduler import Scheduler
from pushdeploy.instance import Home
from pushdeploy.run import schedulers
from pushdeploy.settings import Settings


@dataclass(frozen=True, slots=True)
class SchedulerGround:
    """Every scheduler is made of this: it is the one argument of each ``SCHEDULER``.

    ``instance`` sets what this server starts apart from what others do on the same machines.
    """

    engine: Engine
    instance: str
    home: Home
    settings: Settings


MakeScheduler = Callable[[SchedulerGround], Scheduler]


def choose_scheduler(ground: SchedulerGround) -> Scheduler:
    """Make the scheduler that PUSHDEPLOY_SCHEDULER names; ``UserError`` where there is none."""
    return find_scheduler(ground.settings)(ground)


def find_scheduler(settings: Settings) -> MakeScheduler:
    """Return what makes that scheduler, for those who have nothing to make it of."""
    make = chosen(schedulers, "SCHEDULER", "PUSHDEPLOY_SCHEDULER", settings.scheduler)
    return cast("MakeScheduler", make)
