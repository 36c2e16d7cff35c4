"""An app without a language runs as it is: it has a Procfile, and nothing has to be built."""

from pushdeploy.build.language import NOT_BUILT, Circumstances, Files, Language
from pushdeploy.build.plan import LayeredPlan
from pushdeploy.build.tree import Tree


def _detect(tree: Tree) -> str | None:
    return None if tree.first(NOT_BUILT) else tree.first(["Procfile"])


def _plan(_tree: Tree, circumstances: Circumstances) -> LayeredPlan:
    return LayeredPlan(circumstances.stacks.usual())


_NOT_RUN = "is not run: nothing is built for an app without a language"

LANGUAGE = Language(
    name="null",
    order=90,
    version="1",
    wants="a Procfile and no other language's files",
    detect=_detect,
    plan=_plan,
    files=Files(
        telling=("Procfile", "package.json"),
        unread={"bin/pre_compile": _NOT_RUN, "bin/post_compile": _NOT_RUN},
    ),
)
