"""This scheduler runs tasks as containers of the Docker engine on this machine."""

from pushdeploy.run.schedulers.docker_local.scheduler import DockerLocal

SCHEDULER = DockerLocal
