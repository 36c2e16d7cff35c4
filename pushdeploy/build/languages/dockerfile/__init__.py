"""Apps with a Dockerfile of their own: the image is what it says, once it has been checked."""

from pushdeploy.build.plan import Circumstances, DockerfilePlan, Language
from pushdeploy.build.tree import Tree

_NAME = "Dockerfile"


def _detect(tree: Tree) -> str | None:
    return tree.first([_NAME])


def _plan(_tree: Tree, _circumstances: Circumstances) -> DockerfilePlan:
    return DockerfilePlan(_NAME)


LANGUAGE = Language("dockerfile", 10, "1", "a Dockerfile", _detect, _plan)
