"""A pipeline, and an app of it, are chosen: people are asked where several could be meant."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from pushdeploy.commands.face.arguments import find_app
from pushdeploy.domain.app import App
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import AppName
from pushdeploy.domain.pipeline import Pipeline, PipelineName, StageName
from pushdeploy.store import Store

_OPTION = "pushdeploy.app"
_MOST_LISTED = 20
_Body = TypeVar("_Body", bound=Callable[..., Any])


def member_argument(body: _Body) -> _Body:
    """``app``: an ``App`` that exists or None, given as an argument or as ``--app``."""
    option = click.option(
        "--app",
        "-a",
        "app_option",
        metavar="APP",
        is_eager=True,
        expose_value=False,
        callback=_keep_option,
        help="The same as APP.",
    )
    argument = click.argument("app", required=False, callback=_asked_app, metavar="[APP]")
    return argument(option(body))


def stage_option(body: _Body) -> _Body:
    """``stage``: a ``StageName`` or None."""
    return click.option(
        "--stage", "-s", type=StageName.parse, metavar="STAGE", help="Any name for a stage."
    )(body)


def pipeline_argument(body: _Body) -> _Body:
    """``name``: of a pipeline, or None."""
    return click.argument("name", type=PipelineName.parse, required=False, metavar="[NAME]")(body)


def chosen_pipeline(store: Store, name: PipelineName | None) -> Pipeline:
    """Raise ``UserError`` that lists them when none is named and there is not exactly one."""
    if name is not None:
        return store.pipelines.get(name)
    pipelines = store.pipelines.list()
    if len(pipelines) != 1:
        raise _which("pipeline", [str(pipeline.name) for pipeline in pipelines])
    return pipelines[0]


def pipeline_of(store: Store, app: AppName) -> Pipeline:
    """Raise ``UserError`` when it is in none."""
    pipeline = store.pipelines.of(app)
    if pipeline is None:
        raise UserError(f"{app} is in no pipeline", f"pipelines:add PIPELINE {app}")
    return pipeline


def named_pipeline(store: Store, name: PipelineName | None) -> PipelineName:
    """Return the named pipeline, which is not guessed, not even when there is one only."""
    if name is not None:
        return name
    names = [str(pipeline.name) for pipeline in store.pipelines.list()]
    if not names:
        raise _which("pipeline", names)
    raise UserError("which pipeline? none was named", f"name one of: {_listed(names)}")


def needed_app(app: App | None, candidates: Sequence[AppName], command: str) -> AppName:
    """Return the app where it cannot be guessed; ``command`` is an example for the error."""
    if app is None:
        listed = f"name one of: {_listed(candidates)}" if candidates else f"for example: {command}"
        raise UserError("which app? none was named", listed)
    return app.name


def all_members(store: Store) -> Sequence[AppName]:
    """The apps of all pipelines."""
    return [member.app for pipeline in store.pipelines.list() for member in pipeline.members]


def addition(
    store: Store, name: PipelineName | None, app: App | None
) -> tuple[PipelineName, AppName]:
    """The pipeline and the app that joins it: a single word is the app's unless it is the other's.

    ``UserError`` lists what could be meant.
    """
    if name is not None and app is None and store.pipelines.find(name) is None:
        app = store.apps.find(AppName(name))
        name = name if app is None else None
    pipeline = chosen_pipeline(store, name)
    members = set(all_members(store))
    free = [each.name for each in store.apps.list() if each.name not in members]
    return pipeline.name, needed_app(app, free, f"pipelines:add {pipeline.name} shop")


def chosen_source(
    store: Store, app: App | None, targets: Sequence[AppName] = ()
) -> tuple[Pipeline, AppName]:
    """The app to promote from and its pipeline: the only one that could be where none is named.

    It has something live, is no target, and has a stage behind it or ``targets`` that are named.
    """
    if app is not None:
        return pipeline_of(store, app.name), app.name
    found = [
        (pipeline, source)
        for pipeline in store.pipelines.list()
        if set(targets) <= {member.app for member in pipeline.members}
        for source in pipeline.sources()
        if source not in targets and store.releases.current(source) is not None
    ]
    if len(found) != 1:
        raise _which("app", [f"{source} ({pipeline.name})" for pipeline, source in found])
    return found[0]


def _keep_option(context: click.Context, parameter: click.Parameter, text: str | None) -> None:
    """Eager, so that the argument finds it."""
    del parameter
    context.meta[_OPTION] = text


def _asked_app(context: click.Context, parameter: click.Parameter, text: str | None) -> App | None:
    del parameter
    given = [name for name in (text, context.meta.get(_OPTION)) if name]
    if len(set(given)) > 1:
        raise UserError(f"two apps are named: {' and '.join(given)}", "name one")
    return find_app(context.obj.store, given[0]) if given else None


def _which(kind: str, names: Sequence[str]) -> UserError:
    if not names and kind == "pipeline":
        return UserError("there is no pipeline yet", "pipelines:create makes one")
    if not names:
        return UserError(
            "no app of a pipeline has a live release and a stage behind it",
            "pipelines shows what there is",
        )
    return UserError(f"which {kind}? there are several", f"name one of: {_listed(names)}")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
    return ", ".join(names[:_MOST_LISTED]) + more
