"""The settings of a server name the scheduler that runs its apps; an app may have another."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import cast

from pushdeploy.discover import chosen, discover
from pushdeploy.domain.ports.engine import Engine
from pushdeploy.domain.ports.scheduler import Scheduler
from pushdeploy.instance import Home
from pushdeploy.run import schedulers
from pushdeploy.run.app_schedulers import AppSchedulers
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


def choose_scheduler(
    ground: SchedulerGround, used: Callable[[], Collection[str]] = tuple
) -> Scheduler:
    """Make the scheduler of a server: where there are several, each app has its own choice.

    PUSHDEPLOY_SCHEDULER names that of all others; ``UserError`` where there is none of that name.
    ``used`` names those that releases have used.
    """
    default = find_scheduler(ground.settings)
    if len(scheduler_names()) == 1:
        return default(ground)
    make = {
        name: partial(_find(f"the app's scheduler {name}", name), ground)
        for name in scheduler_names()
    }
    return AppSchedulers(ground.settings.scheduler, make, used)


def scheduler_names() -> Sequence[str]:
    """List the schedulers that are installed, as people name them."""
    return [module.replace("_", "-") for module in discover(schedulers, "SCHEDULER")]


def find_scheduler(settings: Settings) -> MakeScheduler:
    """Return what makes that scheduler, for those who have nothing to make it of."""
    return _find("PUSHDEPLOY_SCHEDULER", settings.scheduler)


def _find(setting: str, name: str) -> MakeScheduler:
    return cast("MakeScheduler", chosen(schedulers, "SCHEDULER", setting, name))
