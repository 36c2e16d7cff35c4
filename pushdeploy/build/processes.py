"""A slug's process types and release command come from its Procfile, or from its language."""

from collections.abc import Mapping
from dataclasses import dataclass
from posixpath import normpath

from pushdeploy.build.near_misses import misspelled
from pushdeploy.build.tree import Tree
from pushdeploy.domain.errors import BuildFailed, UserError
from pushdeploy.domain.names import RELEASE, ProcessType
from pushdeploy.domain.procfile import parse_procfile

PROCFILE = "Procfile"
HOME = "/app"
"""Where the source lies in a slug, and commands begin."""


@dataclass(frozen=True, slots=True)
class ProcessCommands:
    """``types`` without ``release``, whose command stands by itself."""

    types: Mapping[ProcessType, str]
    release: str | None


def processes_of(tree: Tree, default: Mapping[ProcessType, str], example: str) -> ProcessCommands:
    """Raise ``BuildFailed`` when neither a Procfile nor the language names a process to run."""
    found = commands_in(tree) if tree.has(PROCFILE) else ProcessCommands({}, None)
    commands = dict(found.types or default)
    release = commands.pop(RELEASE, found.release)
    if not commands:
        missing = "has no process to run" if tree.has(PROCFILE) else "is missing"
        raise BuildFailed(
            f"the {PROCFILE} {missing}, so nobody knows what to start",
            f"add a line to a file called {PROCFILE}, commit and push:  {example}",
            details=misspelled(tree, [PROCFILE]),
        )
    return ProcessCommands(commands, release)


def commands_in(tree: Tree) -> ProcessCommands:
    """Read the Procfile, which may name nothing, or be missing. ``BuildFailed`` for a bad one."""
    commands = dict(_procfile(tree)) if tree.has(PROCFILE) else {}
    release = commands.pop(RELEASE, None)
    return ProcessCommands(commands, release)


def refuse_directories(tree: Tree, processes: ProcessCommands) -> None:
    """Raise ``BuildFailed`` where a command is a directory of the source, which nothing runs.

    A shell would say of it that the permission is denied.
    """
    release = {RELEASE: processes.release} if processes.release else {}
    for name, command in {**processes.types, **release}.items():
        program = _program(command)
        if "/" in program and _is_directory(tree, program):
            raise BuildFailed(
                f"{name} of the {PROCFILE} cannot run: {program} is a directory",
                f"name the program in it, commit and push:  {name}: {program.rstrip('/')}/PROGRAM",
            )


def _program(command: str) -> str:
    """The first word that is neither an assignment nor ``exec``."""
    words = (word.strip("\"';&|") for word in command.split())
    return next((word for word in words if word != "exec" and "=" not in word), "")


def _is_directory(tree: Tree, program: str) -> bool:
    path = normpath(program.removeprefix(f"{HOME}/")) if program != HOME else "."
    return path == "." or any(each.startswith(f"{path}/") for each in tree.paths)


def _procfile(tree: Tree) -> Mapping[ProcessType, str]:
    try:
        return parse_procfile(tree.text(PROCFILE))
    except UserError as error:
        raise BuildFailed(error.message, error.hint) from error
