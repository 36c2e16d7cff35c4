"""Whether Docker answers, is new enough, has room, and has a stack to build on."""

from collections.abc import Iterator
from pathlib import Path
from shlex import quote

from pushdeploy.build.stack_order import NEWEST
from pushdeploy.build.stacks import stacks_of
from pushdeploy.doctor.check import Check, Installation
from pushdeploy.doctor.machine import check_free, said
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.finding import Finding, check_version
from pushdeploy.domain.ports.engine import Engine
from pushdeploy.engine.buildkit import find_client, places
from pushdeploy.engine.docker import DockerEngine
from pushdeploy.settings import Settings

MINIMUM_DOCKER = (20, 10)


def _look(installation: Installation) -> Iterator[Finding]:
    """An engine that is down is one finding, not four."""
    settings = installation.settings
    with DockerEngine("00000000", settings.docker_host) as engine:
        try:
            version = engine.version()
        except PushdeployError as error:
            yield Finding("docker", False, error.message, "systemctl start docker")
            return
        yield check_version("docker", version, MINIMUM_DOCKER, "apt-get install docker.io")
        root = said("docker", "info", "--format", "{{.DockerRootDir}}") or "/var/lib/docker"
        yield check_free("disk of docker", Path(root), "docker image prune")
        client = find_client(places()) or "no client: Dockerfiles are built the classic way"
        yield Finding("buildkit", True, client)
        yield _stack(settings, engine)


def _stack(settings: Settings, engine: Engine) -> Finding:
    stacks = stacks_of(engine, settings)
    wanted = list(stacks.definitions) if settings.stack == NEWEST else [settings.stack]
    ready = [stack for stack in wanted if stacks.ready(stack)]
    detail = f"{', '.join(ready)} is ready" if ready else f"{settings.stack}: none is there yet"
    return Finding(
        "stack", bool(ready), detail, f"pushdeploy stack:prepare --home {quote(str(settings.home))}"
    )


CHECK = Check(80, _look)
