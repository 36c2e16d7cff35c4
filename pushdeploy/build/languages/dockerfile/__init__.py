"""Apps with a Dockerfile of their own: the image is what it says, once it has been checked."""

from pushdeploy.build.language import Circumstances, Files, Language
from pushdeploy.build.plan import DockerfilePlan
from pushdeploy.build.tree import Tree

_NAME = "Dockerfile"


def _detect(tree: Tree) -> str | None:
    return tree.first([_NAME])


def _plan(_tree: Tree, _circumstances: Circumstances) -> DockerfilePlan:
    return DockerfilePlan(_NAME)


LANGUAGE = Language(
    name="dockerfile",
    order=10,
    version="1",
    wants="a Dockerfile",
    detect=_detect,
    plan=_plan,
    files=Files(telling=[_NAME], read=[_NAME]),
)
