"""Whether there is the scheduler that the settings name."""

from collections.abc import Iterator

from pushdeploy.doctor.check import Check, Installation, tried
from pushdeploy.domain.finding import Finding
from pushdeploy.run.choice import find_scheduler
from pushdeploy.settings import Settings


def _look(installation: Installation) -> Iterator[Finding]:
    yield tried("scheduler", lambda: _name(installation.settings))


def _name(settings: Settings) -> str:
    find_scheduler(settings)
    return settings.scheduler


CHECK = Check(95, _look)
