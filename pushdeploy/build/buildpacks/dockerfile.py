"""An app with a Dockerfile of its own: the image is what it says."""

from pushdeploy.build.plan import Buildpack, Circumstances, DockerfilePlan
from pushdeploy.build.tree import Tree

_NAME = "Dockerfile"


def _detect(tree: Tree) -> str | None:
    return tree.first([_NAME])


def _plan(_tree: Tree, _circumstances: Circumstances) -> DockerfilePlan:
    return DockerfilePlan(_NAME)


BUILDPACK = Buildpack("dockerfile", 10, "1", "a Dockerfile", _detect, _plan)
