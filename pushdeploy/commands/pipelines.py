"""Commands of pipelines put apps that share a codebase into stages, and show how they stand."""

from collections.abc import Sequence

import click

from pushdeploy.commands.face.arguments import find_app, form_option
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.pipeline_choice import (
    addition,
    all_members,
    chosen_pipeline,
    member_argument,
    named_pipeline,
    needed_app,
    pipeline_argument,
    stage_option,
)
from pushdeploy.commands.face.printing import Row, show_json, show_rows
from pushdeploy.commands.face.request import Request
from pushdeploy.domain.app import App
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import CommitId
from pushdeploy.domain.pipeline import Pipeline, PipelineName, StageName, in_usual_order
from pushdeploy.reads.pipelines import Standing

_UPDATE = "pipelines:update shop-eu --stage production"


def parse_stages(text: str) -> Sequence[StageName]:
    """Parse stage names with commas between them, like ``staging,production``."""
    return [StageName.parse(name) for name in text.split(",")]


@command("pipelines", "pipelines:list", reads=True, example="pipelines")
@form_option
def list_(request: Request, form: str) -> None:
    """Show all pipelines: their stages in order, and their apps."""
    rows = [
        {
            "name": str(pipeline.name),
            "stages": [str(stage) for stage in pipeline.stages],
            "apps": [str(member.app) for member in pipeline.members],
        }
        for pipeline in request.reads.pipelines.all()
    ]
    empty = "no pipeline yet:  pipelines:create shop"
    show_rows(request, form, rows, ("name", "stages", "apps"), empty=empty)


@command("pipelines:create", example="pipelines:create main shop-staging shop")
@click.argument("name", type=PipelineName.parse, metavar="NAME")
@click.argument("apps", nargs=-1, metavar="[APP]...")
@click.option("--app", "-a", "more", multiple=True, metavar="APP", help="The same as APP.")
@stage_option
def create(
    request: Request,
    name: PipelineName,
    apps: tuple[str, ...],
    more: tuple[str, ...],
    stage: StageName | None,
) -> None:
    """Make a pipeline, with apps in the stages that their names tell, like -staging or -dev.

    Stages stand in the order in which they first appear. --stage is for all the apps named.
    """
    found = [find_app(request.store, app).name for app in dict.fromkeys((*apps, *more))]
    _tell(request, request.flow.pipelines.create(name, found, stage))


@command("pipelines:add", example="pipelines:add main shop-eu --stage production")
@pipeline_argument
@member_argument
@stage_option
def add(
    request: Request, name: PipelineName | None, app: App | None, stage: StageName | None
) -> None:
    """Add an app to a pipeline, which need not be named when there is only one.

    Without --stage, the suffix of the app's name tells the stage.
    """
    pipeline, added = addition(request.store, name, app)
    _tell(request, request.flow.pipelines.add(pipeline, added, stage))


@command("pipelines:remove", removes=True, example="pipelines:remove shop-eu")
@member_argument
def remove(request: Request, app: App | None) -> None:
    """Take an app out of its pipeline. It goes on running."""
    removed = needed_app(app, all_members(request.store), "pipelines:remove shop-eu")
    _tell(request, request.flow.pipelines.remove(removed))


@command("pipelines:update", example=_UPDATE)
@click.argument("subject", required=False, metavar="[APP|NAME]")
@click.option("--app", "-a", "app", metavar="APP", help="The app, with --stage.")
@stage_option
@click.option("--stages", type=parse_stages, metavar="A,B,…", help="All stages, in a new order.")
def update(
    request: Request,
    subject: str | None,
    app: str | None,
    stage: StageName | None,
    stages: Sequence[StageName] | None,
) -> None:
    """Move an app to another stage, or give the stages of a pipeline another order."""
    if (stage is None) == (stages is None):
        raise UserError("one of --stage and --stages is needed", f"for example: {_UPDATE}")
    if stages is not None:
        name = PipelineName.parse(subject) if subject else None
        pipeline = chosen_pipeline(request.store, name)
        _tell(request, request.flow.pipelines.set_stages(pipeline.name, stages), ordered=True)
    elif stage is not None:
        moved = needed_app(_moved(request, subject, app), all_members(request.store), _UPDATE)
        _tell(request, request.flow.pipelines.set_stage(moved, stage))


@command("pipelines:rename", example="pipelines:rename main shop")
@click.argument("name", type=PipelineName.parse, metavar="[NAME]")
@click.argument("new", type=PipelineName.parse, required=False, metavar="NEW")
def rename(request: Request, name: PipelineName, new: PipelineName | None) -> None:
    """Give a pipeline another name. PIPELINE of its apps follows when they start anew."""
    if new is None:  # a single word is the new name, of the only pipeline
        name, new = chosen_pipeline(request.store, None).name, name
    _tell(request, request.flow.pipelines.rename(name, new), ordered=True)


@command("pipelines:destroy", removes=True, example="pipelines:destroy main")
@click.argument("name", type=PipelineName.parse, required=False, metavar="NAME")
def destroy(request: Request, name: PipelineName | None) -> None:
    """Remove a pipeline, which must be named. Its apps go on running."""
    name = named_pipeline(request.store, name)
    request.flow.pipelines.destroy(name)
    request.output.line(f"{name} is gone; its apps go on running")


@command("pipelines:info", reads=True, example="pipelines:info main")
@pipeline_argument
@form_option
def info(request: Request, name: PipelineName | None, form: str) -> None:
    """Show a pipeline: its apps by stage, what is live of each, and who is ahead of whom."""
    pipeline = chosen_pipeline(request.store, name)
    rows = [_row(each) for each in request.reads.pipelines.standings(pipeline)]
    if form == "json":
        stages = [str(stage) for stage in pipeline.stages]
        show_json(request, {"name": str(pipeline.name), "stages": stages, "apps": rows})
        return
    _tell(request, pipeline, ordered=True)
    shown = [{**row, "commit": _short(row["commit"])} for row in rows]
    show_rows(request, form, shown, ("stage", "app", "release", "commit", "state"))


COMMANDS = (list_, create, add, remove, update, rename, destroy, info)


def _moved(request: Request, subject: str | None, app: str | None) -> App | None:
    """The app of ``pipelines:update``; beside ``--app``, its pipeline may be named too."""
    named = app or subject
    found = find_app(request.store, named) if named else None
    if found and app and subject not in {None, app}:
        pipeline = request.store.pipelines.of(found.name)
        if pipeline is None or pipeline.name != subject:
            raise UserError(f"{app} is not in a pipeline {subject}", "name the app alone")
    return found


def _tell(request: Request, pipeline: Pipeline, *, ordered: bool = False) -> None:
    """The stages with their apps in a line, and a word where their order looks like a mistake.

    ``ordered``: a person has chosen the order, or has not just changed it.
    """
    request.output.line(f"{pipeline.name}: {_shown(pipeline)}")
    usual = in_usual_order(pipeline.stages)
    if not ordered and list(usual) != list(pipeline.stages):
        request.output.trouble(
            "the stages stand in the order in which they appeared; for the usual one:"
        )
        request.output.trouble(f"pipelines:update {pipeline.name} --stages {','.join(usual)}")


def _shown(pipeline: Pipeline) -> str:
    parts = [
        f"{stage} ({', '.join(pipeline.apps_in(stage)) or 'no app'})" for stage in pipeline.stages
    ]
    return " → ".join(parts) or "no apps yet"


def _row(standing: Standing) -> Row:
    live, upstream, distance = standing.live, standing.upstream, standing.distance
    return {
        "stage": str(standing.member.stage),
        "app": str(standing.member.app),
        "release": live.label if live else None,
        "version": live.version if live else None,
        "commit": str(live.slug.commit) if live else None,
        "slug": str(live.slug.image) if live else None,
        "upstream": str(upstream.app) if upstream else None,
        "ahead": len(distance.ahead) if distance else None,
        "behind": len(distance.behind) if distance else None,
        "same_slug": standing.same_slug,
        "state": _state(standing),
    }


def _short(commit: object) -> str | None:
    return CommitId(str(commit)).short if commit else None


def _state(standing: Standing) -> str:
    upstream, distance = standing.upstream, standing.distance
    if standing.live is None:
        return "nothing is live yet"
    if upstream is None:
        return ""
    if standing.same_slug:
        return f"runs the slug of {upstream.app}"
    if distance is None:
        return f"cannot be compared with {upstream.app}"
    if not distance.summary:
        return f"at the commit of {upstream.app}, with a slug of its own"
    ahead, behind = len(distance.ahead), len(distance.behind)
    more = "" if distance.complete else "+"
    parts = [f"{ahead}{more} ahead of"] if ahead else []
    parts += [f"{behind}{more} behind"] if behind else []
    return f"{' and '.join(parts)} {upstream.app}"
