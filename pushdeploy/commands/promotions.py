"""Commands of pipelines promote a slug, tell what that would change, and verify what runs."""

from collections.abc import Sequence

import click

from pushdeploy.commands.face.arguments import form_option
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.pipeline_choice import (
    chosen_pipeline,
    chosen_source,
    member_argument,
    pipeline_argument,
)
from pushdeploy.commands.face.printing import Row, asker_beside, show_json, show_rows
from pushdeploy.commands.face.rehearsal_reports import rehearsal_json, tell_rehearsal
from pushdeploy.commands.face.request import Request
from pushdeploy.commands.face.stage_differences import difference_json, tell_difference
from pushdeploy.commands.releases import parse_version
from pushdeploy.domain.app import App
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import AppName
from pushdeploy.domain.pipeline import Pipeline, PipelineName
from pushdeploy.domain.promotion import Mode, TargetResult
from pushdeploy.domain.verification import Evidence, short
from pushdeploy.flow.promote import Promotion
from pushdeploy.reads.verification import Verification


def parse_apps(text: str) -> Sequence[AppName]:
    """``shop,shop-eu``; ``UserError`` where none is named: that would be every app of a stage."""
    named = [AppName.parse(name.strip()) for name in text.split(",") if name.strip()]
    if not named:
        raise UserError("--to names no app", "--to A,B, or leave it out for the whole next stage")
    return named


@command("pipelines:promote", example="pipelines:promote shop-staging")
@member_argument
@click.option("--to", "-t", type=parse_apps, multiple=True, metavar="A,B", help="Only to these.")
@click.option("--release", "version", type=parse_version, metavar="vN", help="An earlier release.")
@click.option("--one-by-one", is_flag=True, help="In order; the first failure stops.")
@click.option("--all-or-nothing", is_flag=True, help="Traffic moves when all of them are ready.")
@click.option("--force", is_flag=True, help="Also where the histories are not related.")
@click.option("--rehearse", is_flag=True, help="Try it on copies of the disks alone.")
@click.option("--network", is_flag=True, help="With --rehearse: a way out of this machine.")
@form_option
def promote(
    request: Request,
    app: App | None,
    to: tuple[Sequence[AppName], ...],
    version: int | None,
    one_by_one: bool,
    all_or_nothing: bool,
    force: bool,
    rehearse: bool,
    network: bool,
    form: str,
) -> int:
    """Release the live slug of an app in the apps of the next stage: no build, the same bytes.

    Each target keeps its own config and disks, runs the release command with them, and goes live
    or stays as it was. The exit code is 0 when all of them succeeded.
    """
    named = list(dict.fromkeys(name for names in to for name in names))
    pipeline, source = chosen_source(request.store, app, named)
    targets = pipeline.targets(source, named)
    for target in targets:
        request.gate.check(request.session.by, "change", "use pipelines:promote", target)
    mode = _mode(one_by_one, all_or_nothing)
    promotion = Promotion(source, targets, version, mode, force)
    if rehearse:
        return _rehearse(request, promotion, form, network=network)
    if network:
        raise UserError("--network is for a rehearsal", "pipelines:promote --rehearse --network")
    results = request.flow.promoter.promote(promotion, asker_beside(request, form))
    _tell_results(request, form, source, results)
    return 0 if all(result.outcome == "succeeded" for result in results) else 1


@command("pipelines:diff", reads=True, example="pipelines:diff shop-staging")
@member_argument
@form_option
def diff(request: Request, app: App | None, form: str) -> None:
    """Show what differs between an app and those of the next stage: what a promotion changes.

    Commits in both directions, Procfile, formation, names of config vars, disks, the release
    command and the slug's size. Of an app in the last stage: what differs from the one before.
    """
    pipeline, source = chosen_source(request.store, app)
    found = request.reads.pipelines.differences(pipeline, source)
    if form == "json":
        show_json(request, [difference_json(each) for each in found])
        return
    for each in found:
        tell_difference(request.output, each)


@command("pipelines:verify", reads=True, example="pipelines:verify")
@pipeline_argument
@form_option
def verify(request: Request, name: PipelineName | None, form: str) -> int:
    """Prove from the running containers that every stage runs what the ledger says.

    Ends with 1 where a container runs an image that its release does not have, where nothing runs
    of what should, and where stages at the same commit run different slugs.
    """
    pipeline = chosen_pipeline(request.store, name)
    verification = request.reads.verifier.verify(pipeline)
    if form == "json":
        show_json(request, _document(pipeline, verification))
    else:
        _tell_verification(request, pipeline, verification)
    return 0 if verification.verified else 1


COMMANDS = (promote, diff, verify)


# ----------------------------------------------------------------- promote


def _mode(one_by_one: bool, all_or_nothing: bool) -> Mode:
    if one_by_one and all_or_nothing:
        raise UserError("--one-by-one and --all-or-nothing exclude each other", "give one of them")
    if one_by_one:
        return Mode.ONE_BY_ONE
    return Mode.ALL_OR_NOTHING if all_or_nothing else Mode.INDEPENDENT


def _rehearse(request: Request, promotion: Promotion, form: str, *, network: bool) -> int:
    asker = asker_beside(request, form)
    results = request.flow.rehearsals.of_promotion(promotion, asker, network=network)
    went_well = all(result.went_well for result in results)
    if form == "json":
        targets = [rehearsal_json(result) for result in results]
        shown = {"source": str(promotion.source), "went_well": went_well, "targets": targets}
        show_json(request, shown)
    else:
        for result in results:
            tell_rehearsal(request.output, result)
    return 0 if went_well else 1


def _tell_results(
    request: Request, form: str, source: AppName, results: Sequence[TargetResult]
) -> None:
    rows = [
        {
            "app": str(result.app),
            "outcome": result.outcome,
            "release": f"v{result.version}" if result.version else None,
            "version": result.version,
            "error": result.error,
        }
        for result in results
    ]
    if form == "json":
        succeeded = all(result.outcome == "succeeded" for result in results)
        show_json(request, {"source": str(source), "succeeded": succeeded, "targets": rows})
        return
    request.output.headline(f"Promotion of {source}")
    show_rows(request, form, rows, ("app", "outcome", "release", "error"))


# ----------------------------------------------------------------- verify


def _document(pipeline: Pipeline, found: Verification) -> Row:
    return {
        "name": str(pipeline.name),
        "verified": found.verified,
        "apps": [_verified(pipeline, each, found.troubles[each.app]) for each in found.evidence],
        "disagreements": list(found.disagreements),
    }


def _tell_verification(request: Request, pipeline: Pipeline, found: Verification) -> None:
    shown = [
        {**_verified(pipeline, each, found.troubles[each.app]), **_shortened(each)}
        for each in found.evidence
    ]
    keys = ("stage", "app", "release", "digest", "commit", "builder", "verdict")
    show_rows(request, "text", shown, keys)
    for app, lines in found.troubles.items():
        for line in lines:
            request.output.trouble(f"{app}: {line}")
    for line in found.disagreements:
        request.output.trouble(line)


def _verified(pipeline: Pipeline, evidence: Evidence, troubles: Sequence[str]) -> Row:
    """Digest from the containers; commit and builder as the ledger has them for that digest."""
    live, images = evidence.live, evidence.images
    slug = live.slug if live and images == [live.slug.image] else None
    return {
        "stage": str(pipeline.stage_of(evidence.app)),
        "app": str(evidence.app),
        "release": live.label if live else None,
        "version": live.version if live else None,
        "digests": list(images),
        "commit": str(slug.commit) if slug else None,
        "builder": slug.builder if slug else None,
        "stack": slug.stack if slug else None,
        "containers": len(evidence.running),
        "verdict": _verdict(evidence, troubles),
        "troubles": list(troubles),
    }


def _verdict(evidence: Evidence, troubles: Sequence[str]) -> str:
    if troubles:
        return "differs"
    if evidence.in_between:
        return "being changed"
    return "as released" if evidence.images else "nothing runs"


def _shortened(evidence: Evidence) -> Row:
    """For people: the whole ids fill a line."""
    live, images = evidence.live, evidence.images
    known = live is not None and images == [live.slug.image]
    return {
        "digest": [short(image) for image in images],
        "commit": live.slug.commit.short if live and known else None,
    }
