"""Which folder of an app is published, who says so, and the plan of a build that publishes one.

Any language may build it: the plan of a static site is that of its language, with a folder in
place of processes, and with a last command that makes the folder.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from posixpath import normpath

from pushdeploy.build.app_json import read_app_json
from pushdeploy.build.plan import BuildCommand, Failure, Finish, LayeredPlan, Publication
from pushdeploy.build.processes import HOME, PROCFILE, ProcessCommands, commands_in
from pushdeploy.build.render_yaml import FILE as RENDER
from pushdeploy.build.render_yaml import read_blueprint
from pushdeploy.build.static_json import FILE, StaticJson, read_static_json
from pushdeploy.build.tree import Tree
from pushdeploy.domain.errors import BuildFailed
from pushdeploy.domain.names import WEB
from pushdeploy.domain.published import PublishedFolder

VERSION = "1"
"""Another one makes new slugs of all static sites."""

USUAL = ("public", "dist", "build", "_site", "out")
"""Where builders of sites leave them, and where they lie in repositories."""

INDEX = "index.html"
_INSTALLING = re.compile(r"\s*(?!make )(?:[\w.-]+ ){1,4}?(?:install|ci|sync)\b[^&;|]*(?:&&|;)")
"""Every package manager is told so; make is none."""
_SAY = f'say which in {FILE}, commit and push:  {{"root": "public"}}'
_RESULT = "/tmp/pushdeploy-published"  # noqa: S108 - inside a container that lives seconds
_MISSING = "pushdeploy: the folder is missing"
_EMPTY = "pushdeploy: the folder is empty"

_BUILD = f"""
bash -c "$1" || exit
cd {HOME}
if [ ! -d "$2" ]; then
    echo "directories here:" */
    echo "{_MISSING}"
    exit 1
fi
if [ -z "$(find "$2" -type f -print -quit)" ]; then
    echo "{_EMPTY}"
    exit 1
fi
printf %s "$2" >{_RESULT}
"""


def wish_of(tree: Tree, app: str = "") -> Publication | None:
    """The folder that a file of ``app`` names; None where none does.

    ``BuildFailed`` where two files name different ones, or one names a place outside.
    """
    said = list(filter(None, [*_of_static_json(tree), *_of_app_json(tree), *_of_render(tree, app)]))
    if not said:
        return None
    first, *others = said
    for other in others:
        if (other.folder, other.command) != (first.folder, first.command):
            raise BuildFailed(
                f"{first.why} publishes {first.shown}, and {other.why} {other.shown}",
                f"let one of them say it, commit and push:  git rm {other.why}",
            )
    return first


def usual_folder(tree: Tree) -> Publication | None:
    """The folder that is one by its looks: with an index.html, in the top or a usual directory.

    ``BuildFailed`` where there are several.
    """
    found = [each for each in ("", *USUAL) if tree.has(f"{each}/{INDEX}".lstrip("/"))]
    if not found:
        return None
    if len(found) > 1:
        names = " and ".join(f"{each}/{INDEX}".lstrip("/") for each in found)
        raise BuildFailed(f"there are {names}: which folder is the site?", _SAY)
    return Publication(found[0], f"it has {INDEX}")


def publishing(plan: LayeredPlan, publication: Publication, tree: Tree) -> LayeredPlan:
    """The same plan for an app whose visitors get a folder.

    ``BuildFailed`` when the folder is not in the source and nothing makes it.
    """
    folder, command = publication.folder, publication.command
    steps = list(plan.finish)
    if command:
        steps.append(_building(publication))
    elif not any(path.startswith(f"{folder}/" if folder else "") for path in tree.paths):
        raise BuildFailed(
            f"{publication.why} publishes {publication.shown}, which is not in the commit",
            f'commit it; or name a command that makes it, in {FILE}:  {{"root": "{folder}",'
            ' "build": "COMMAND"}',
        )
    return replace(plan, publishes=publication, default_processes={}, finish=steps)


def processes_beside(tree: Tree) -> ProcessCommands:
    """What else the Procfile runs: any process but web, for files are what the site answers."""
    commands = commands_in(tree)
    if WEB in commands.types:
        raise BuildFailed(
            f"the {PROCFILE} has a web process, and the app is a static site: one can answer",
            f"remove the line  web:  from the {PROCFILE}, or what makes a static site of it",
        )
    return commands


def published_folder(publication: Publication) -> PublishedFolder:
    """The fact of the slug."""
    return PublishedFolder(f"{HOME}/{publication.folder}".rstrip("/"), publication.why)


def _said(file: str, described: StaticJson | None, tree: Tree) -> Publication | None:
    """What a file says; where it leaves out the folder, that is found by its looks."""
    if described is None:
        return None
    if described.root is not None:
        return Publication(_inside(file, described.root), file, described.build.strip())
    found = usual_folder(tree)
    if found is None:
        raise BuildFailed(f"{file} does not say which folder is the site", _SAY)
    return Publication(found.folder, file, described.build.strip())


def _of_static_json(tree: Tree) -> Sequence[Publication | None]:
    return [_said(FILE, read_static_json(tree), tree)]


def _of_render(tree: Tree, app: str) -> Sequence[Publication | None]:
    """The static service of render.yaml that the app is."""
    services = read_blueprint(tree).meant_for(app)
    if not services:
        return []
    if len(services) > 1:
        names = ", ".join(each.name or "one without a name" for each in services)
        raise BuildFailed(f"{RENDER} has several static services: {names}", _SAY)
    (service,) = services
    if not service.root:
        raise BuildFailed(f"{RENDER} has no staticPublishPath", "name the folder, commit and push")
    inside = _inside(RENDER, service.directory)
    folder = _inside(RENDER, f"{inside}/{service.root}")
    command = without_installing(service.build)
    if command and inside:
        command = f"cd {shlex.quote(inside)} && {command}"
    return [Publication(folder, RENDER, command)]


def passed_over(tree: Tree, app: str) -> Sequence[str]:
    """A line for static services of render.yaml that an app of another name is not."""
    blueprint = read_blueprint(tree)
    if not blueprint.static or blueprint.meant_for(app):
        return []
    names = ", ".join(each.name or "one without a name" for each in blueprint.static)
    return [f"{RENDER} has static services for apps of their names: {names}"]


def without_installing(command: str) -> str:
    """Leave out what installs dependencies first: the language has done so."""
    left = f"{command} &&"
    while (found := _INSTALLING.match(left)) is not None:
        left = left[found.end() :]
    return left.strip().removesuffix("&&").strip()


def _of_app_json(tree: Tree) -> Sequence[Publication | None]:
    return [_said("app.json", read_app_json(tree).static, tree)]


def _inside(file: str, root: str) -> str:
    """A path below the top directory, empty for itself."""
    path = normpath(root.strip().strip("/") or ".")
    if path.startswith("..") or "\0" in path:
        raise BuildFailed(
            f"{file} publishes {root[:80]!r}, which is outside of the app",
            "name a folder of the app, as public, commit and push",
        )
    return "" if path == "." else path


def _building(publication: Publication) -> Finish:
    folder, command = publication.shown, publication.command
    failures: Mapping[str, Failure] = {
        _MISSING: Failure(
            f"{command} has ended well, but there is no {folder}",
            f"which folder does it write to? {publication.why} names {folder}",
        ),
        _EMPTY: Failure(
            f"{command} has ended well, but {folder} is empty",
            f"which folder does it write to? {publication.why} names {folder}",
        ),
    }

    def explain(lines: Sequence[str]) -> Failure | None:
        return failures.get(lines[-1]) if lines else None

    path = f"{HOME}/{publication.folder}".rstrip("/")
    arguments = ["bash", "-c", _BUILD, "build", command, path]
    return Finish("Building the site", BuildCommand(arguments, command, "", explain), _RESULT)
