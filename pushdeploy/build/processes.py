"""A slug's process types and release command come from its Procfile, or from its language."""

from collections.abc import Mapping
from dataclasses import dataclass

from pushdeploy.build.near_misses import misspelled
from pushdeploy.build.tree import Tree
from pushdeploy.domain.errors import BuildFailed, UserError
from pushdeploy.domain.names import RELEASE, ProcessType
from pushdeploy.domain.procfile import parse_procfile

PROCFILE = "Procfile"


@dataclass(frozen=True, slots=True)
class Processes:
    """``types`` without ``release``, whose command stands by itself."""

    types: Mapping[ProcessType, str]
    release: str | None


def processes_of(tree: Tree, default: Mapping[ProcessType, str], example: str) -> Processes:
    """Raise ``BuildFailed`` when neither a Procfile nor the language names a process to run."""
    commands = dict(_procfile(tree) if tree.has(PROCFILE) else default)
    release = commands.pop(RELEASE, None)
    if not commands and default:
        commands = dict(default)
    if not commands:
        missing = "has no process to run" if tree.has(PROCFILE) else "is missing"
        raise BuildFailed(
            f"the {PROCFILE} {missing}, so nobody knows what to start",
            f"add a line to a file called {PROCFILE}, commit and push:  {example}",
            details=misspelled(tree, [PROCFILE]),
        )
    return Processes(commands, release)


def _procfile(tree: Tree) -> Mapping[ProcessType, str]:
    try:
        return parse_procfile(tree.text(PROCFILE))
    except UserError as error:
        raise BuildFailed(error.message, error.hint) from error
