"""``DockerEngine`` puts the Engine port together from its parts."""

from pushdeploy.engine.builds import Builds
from pushdeploy.engine.containers import Containers
from pushdeploy.engine.streams import ContainerStreams


class DockerEngine(Containers, ContainerStreams, Builds):
    """``DockerEngine(instance, host)``: nothing is asked of Docker before the first call.

    ``host`` as ``unix:///…`` or ``tcp://…``; None leaves it to DOCKER_HOST and its companions.
    """
