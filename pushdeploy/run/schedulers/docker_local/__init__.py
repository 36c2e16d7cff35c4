"""This scheduler runs tasks as containers of the Docker engine on this machine."""

from pushdeploy.domain.ports.scheduler import Scheduler
from pushdeploy.resources import find
from pushdeploy.run.choice import SchedulerGround
from pushdeploy.run.schedulers.docker_local.scheduler import DockerLocal


def docker_local(ground: SchedulerGround) -> Scheduler:
    """Release commands go through the hook ``release``, the operator's own where there is one."""
    home = ground.home
    return DockerLocal(
        ground.engine,
        ground.instance,
        home.logs,
        find("hooks", "release", home.root),
        ground.settings.domain,
        home.accounts,
    )


SCHEDULER = docker_local
