"""An app that runs as it is: a Procfile, and nothing that some language would have to build."""

from pushdeploy.build.plan import Circumstances, Language, LayeredPlan
from pushdeploy.build.tree import Tree

_LANGUAGES = (
    "package.json",
    "Gemfile",
    "go.mod",
    "composer.json",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "build.sbt",
    "Cargo.toml",
    "mix.exs",
    "project.clj",
)


def _detect(tree: Tree) -> str | None:
    return None if tree.first(_LANGUAGES) else tree.first(["Procfile"])


def _plan(_tree: Tree, circumstances: Circumstances) -> LayeredPlan:
    return LayeredPlan(circumstances.stacks.usual())


LANGUAGE = Language("null", 90, "1", "a Procfile and no other language's files", _detect, _plan)
