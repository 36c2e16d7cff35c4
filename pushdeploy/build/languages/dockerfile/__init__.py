"""A Dockerfile of its own makes the image of an app, once it has been checked."""

from pushdeploy.build.language import Circumstances, Files, Language
from pushdeploy.build.languages.dockerfile.building import DOCKERFILE, build_image
from pushdeploy.build.own_image import OwnImagePlan
from pushdeploy.build.tree import Tree


def _detect(tree: Tree) -> str | None:
    return tree.first([DOCKERFILE])


def _plan(_tree: Tree, _circumstances: Circumstances) -> OwnImagePlan:
    return OwnImagePlan(f"Building {DOCKERFILE}", build_image)


LANGUAGE = Language(
    name="dockerfile",
    order=10,
    version="1",
    wants="a Dockerfile",
    detect=_detect,
    plan=_plan,
    files=Files(telling=[DOCKERFILE], read=[DOCKERFILE]),
)
