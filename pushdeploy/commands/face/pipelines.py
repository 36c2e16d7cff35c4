"""Which pipeline, and which of its apps, a command means: asked for where several could be."""

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
    """``UserError`` that lists them when none is named and there is not exactly one."""
    if name is not None:
        return store.pipelines.get(name)
    pipelines = store.pipelines.list()
    if len(pipelines) != 1:
        raise _which("pipeline", [str(pipeline.name) for pipeline in pipelines])
    return pipelines[0]


def pipeline_of(store: Store, app: AppName) -> Pipeline:
    """``UserError`` when it is in none."""
    pipeline = store.pipelines.of(app)
    if pipeline is None:
        raise UserError(f"{app} is in no pipeline", f"pipelines:add PIPELINE {app}")
    return pipeline


def needed_app(app: App | None, command: str) -> AppName:
    """Where there is no way to guess it."""
    if app is None:
        raise UserError("which app? none was named", f"for example: {command}")
    return app.name


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
    return UserError(f"which {kind}? there are several", f"name one of: {', '.join(names)}")
