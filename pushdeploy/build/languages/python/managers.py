"""Each dependency file has a manager, and commands by which uv installs what it names."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pushdeploy.build.languages.python.pipenv import pipfile_requirements, refuse_stale
from pushdeploy.build.languages.python.poetry import poetry_pins, read_toml
from pushdeploy.build.languages.python.requirements import installs_from_source, requirement_files
from pushdeploy.build.languages.python.unnamed_dependencies import left_out
from pushdeploy.build.plan import BuildCommand
from pushdeploy.build.tree import Tree
from pushdeploy.domain.errors import BuildFailed

_OURS = ".pushdeploy"
_MERGE_MARKER = re.compile(r"^(?:<{7}|>{7}) .*$", re.MULTILINE)
_RESOLVE_HINT = "correct the dependencies so that they install on a clean machine, and push"


@dataclass(frozen=True, slots=True)
class Dependencies:
    """``files`` are copied to /app before ``commands`` run; ``requires_python`` is a specifier.

    ``with_setuptools`` tells that pip would do the work elsewhere, beside a setuptools.
    """

    found: str
    files: Mapping[str, bytes]
    commands: Sequence[BuildCommand]
    requires_python: str = ""
    whole_tree: bool = False
    notices: Sequence[str] = ()
    with_setuptools: bool = False


_Found = TypeVar("_Found", Dependencies, Dependencies | None)


def dependencies_of(tree: Tree) -> Dependencies | None:
    """Return the dependencies, or None when the app names none.

    ``BuildFailed`` for two managers, or for one without a lock.
    """
    locks = [name for name in _MANAGERS if tree.has(name)]
    if len(locks) > 1:
        raise BuildFailed(
            f"there are dependency files of several package managers: {', '.join(locks)}",
            "keep the one that you use:  git rm  the other, commit and push",
        )
    if locks:
        return _well_formed(tree, locks[0], _MANAGERS[locks[0]])
    if tree.has("Pipfile"):
        raise BuildFailed(
            "there is a Pipfile without a Pipfile.lock", "run  pipenv lock  and commit Pipfile.lock"
        )
    if tree.has("pyproject.toml"):
        return _well_formed(tree, "pyproject.toml", _pyproject)
    if tree.has("setup.py"):
        raise BuildFailed(
            "there is a setup.py and no dependency file",
            "add a requirements.txt with the line  .  to install it, commit and push",
        )
    return None


def _well_formed(tree: Tree, name: str, read: Callable[[Tree], _Found]) -> _Found:
    """Raise ``BuildFailed`` where a file is JSON or TOML, and yet not what its tool writes."""
    for path in (name, "pyproject.toml"):
        if tree.has(path):
            _refuse_merge_markers(path, tree.text(path))
    try:
        return read(tree)
    except (AttributeError, KeyError, TypeError) as error:
        raise BuildFailed(
            f"{name}, or what belongs to it, has not the form that its tool gives it ({error})",
            "lock anew with its tool, commit and push",
        ) from error


def _refuse_merge_markers(name: str, text: str) -> None:
    if match := _MERGE_MARKER.search(text):
        number = text.count("\n", 0, match.start()) + 1
        raise BuildFailed(
            f"{name} line {number} is a merge marker: {match[0][:40]}",
            "resolve the merge, commit and push",
        )


def _requirements(tree: Tree) -> Dependencies:
    files = requirement_files(tree, "requirements.txt")
    command = _pip_install("-r", "requirements.txt")
    return Dependencies(
        "requirements.txt",
        files,
        [command],
        whole_tree=installs_from_source(files),
        notices=list(left_out(tree, files)),
        with_setuptools=True,
    )


def _uv_lock(tree: Tree) -> Dependencies:
    text = tree.text("pyproject.toml")
    project = read_toml("pyproject.toml", text)
    whole = _is_package(project) or _has_workspace(project)
    arguments = ["uv", "sync", "--locked", "--no-default-groups"]
    if not whole:
        arguments.append("--no-install-project")
    command = BuildCommand(arguments, hint="run  uv lock  and commit uv.lock; then push again")
    files = {name: tree.read(name) for name in ("pyproject.toml", "uv.lock")}
    requires = str(project.get("project", {}).get("requires-python", ""))
    return Dependencies("uv.lock", files, [command], requires, whole_tree=whole)


def _poetry_lock(tree: Tree) -> Dependencies:
    pins = poetry_pins(tree.text("pyproject.toml"), tree.text("poetry.lock"))
    files = {
        f"{_OURS}/requirements.txt": pins.requirements.encode(),
        f"{_OURS}/constraints.txt": pins.constraints.encode(),
    }
    arguments = ("-r", f"{_OURS}/requirements.txt", "-c", f"{_OURS}/constraints.txt")
    command = replace(_pip_install(*arguments), shown="uv pip install (pinned by poetry.lock)")
    return Dependencies("poetry.lock", files, [command], pins.requires_python, pins.local)


def _pipfile_lock(tree: Tree) -> Dependencies:
    text = tree.text("Pipfile.lock")
    if tree.has("Pipfile"):
        refuse_stale(tree.text("Pipfile"), text)
    requirements = pipfile_requirements(text).encode()
    name = f"{_OURS}/requirements.txt"
    command = replace(
        _pip_install("--no-deps", "-r", name), shown="uv pip install (pinned by Pipfile.lock)"
    )
    files = {name: requirements}
    return Dependencies(
        "Pipfile.lock",
        files,
        [command],
        whole_tree=installs_from_source(files),
        with_setuptools=True,
    )


def _pyproject(tree: Tree) -> Dependencies | None:
    project = read_toml("pyproject.toml", tree.text("pyproject.toml"))
    if "project" not in project:
        if "dependencies" in project.get("tool", {}).get("poetry", {}):
            raise BuildFailed(
                "there is a pyproject.toml of Poetry without a poetry.lock",
                "run  poetry lock  and commit poetry.lock",
            )
        return None
    package = _is_package(project)
    command = _pip_install("-e", ".") if package else _pip_install("-r", "pyproject.toml")
    return Dependencies(
        "pyproject.toml",
        {"pyproject.toml": tree.read("pyproject.toml")},
        [command],
        str(project["project"].get("requires-python", "")),
        whole_tree=package,
        notices=("there is no lock file, so versions are chosen anew:  uv lock  makes one",),
    )


def _pip_install(*arguments: str) -> BuildCommand:
    return BuildCommand(["uv", "pip", "install", *arguments], hint=_RESOLVE_HINT)


def _is_package(project: Mapping[str, Any]) -> bool:
    declared = project.get("tool", {}).get("uv", {}).get("package")
    return bool("build-system" in project if declared is None else declared)


def _has_workspace(project: Mapping[str, Any]) -> bool:
    uv = project.get("tool", {}).get("uv", {})
    sources = [
        source
        for value in uv.get("sources", {}).values()
        for source in (value if isinstance(value, list) else [value])
    ]
    return "workspace" in uv or any("path" in source or "workspace" in source for source in sources)


_MANAGERS: Mapping[str, Callable[[Tree], Dependencies]] = {
    "uv.lock": _uv_lock,
    "poetry.lock": _poetry_lock,
    "Pipfile.lock": _pipfile_lock,
    "requirements.txt": _requirements,
}

DEPENDENCY_FILES = (*_MANAGERS, "Pipfile", "pyproject.toml", "setup.py")
"""Files that make an app a Python one."""
