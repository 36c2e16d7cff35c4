"""pipelines, in action: promote a slug to the next stage, see what that would change, verify it."""

from collections.abc import Sequence

import click

from pushdeploy.commands.face.arguments import form_option
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.differences import difference_json, tell_difference
from pushdeploy.commands.face.pipelines import (
    chosen_pipeline,
    chosen_source,
    member_argument,
    pipeline_argument,
)
from pushdeploy.commands.face.printing import Row, errors_of, show_json, show_rows
from pushdeploy.commands.face.rehearsals import rehearsed
from pushdeploy.commands.face.request import Request
from pushdeploy.commands.releases import parse_version
from pushdeploy.domain.app import App
from pushdeploy.domain.asker import Asker
from pushdeploy.domain.comparison import Comparison, Side, compare
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.history import Divergence
from pushdeploy.domain.names import AppName, ImageDigest
from pushdeploy.domain.pipeline import Pipeline, PipelineName
from pushdeploy.domain.promotion import Mode, TargetResult, promoted_from
from pushdeploy.domain.release import Release
from pushdeploy.domain.verification import Evidence, disagreements, short, troubles_of
from pushdeploy.flow.promote import Promotion
from pushdeploy.release.rehearsal import Rehearsal


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
    targets = _targets(pipeline, source, named)
    mode = _mode(one_by_one, all_or_nothing)
    promotion = Promotion(source, targets, version, mode, force)
    if rehearse:
        return _rehearse(request, promotion, form, network=network)
    if network:
        raise UserError("--network is for a rehearsal", "pipelines:promote --rehearse --network")
    results = request.platform.promoter.promote(promotion, _asker(request, form))
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
    targets = pipeline.downstream(source)
    pairs = [(source, target) for target in targets]
    pairs = pairs or [(before, source) for before in _live_upstream(request, pipeline, source)]
    if not pairs:
        raise UserError(
            f"{pipeline.name} has no stage beside that of {source}",
            f"pipelines:info {pipeline.name}",
        )
    found = [_compared(request, *pair) for pair in pairs]
    if form == "json":
        show_json(request, [difference_json(*each) for each in found])
        return
    for each in found:
        tell_difference(request.output, *each)


@command("pipelines:verify", reads=True, example="pipelines:verify")
@pipeline_argument
@form_option
def verify(request: Request, name: PipelineName | None, form: str) -> int:
    """Prove from the running containers that every stage runs what the ledger says.

    Ends with 1 where a container runs an image that its release does not have, where nothing runs
    of what should, and where stages at the same commit run different slugs.
    """
    pipeline = chosen_pipeline(request.store, name)
    found = [_evidence(request, member.app) for member in pipeline.members]
    troubles = {evidence.app: list(troubles_of(evidence)) for evidence in found}
    between = disagreements(found)
    rows = [_verified(pipeline, evidence, troubles[evidence.app]) for evidence in found]
    verified = not between and not any(troubles.values())
    if form == "json":
        document = {"name": str(pipeline.name), "verified": verified, "apps": rows}
        show_json(request, {**document, "disagreements": list(between)})
        return 0 if verified else 1
    shown = [{**row, **_shortened(evidence)} for row, evidence in zip(rows, found, strict=True)]
    keys = ("stage", "app", "release", "digest", "commit", "builder", "verdict")
    show_rows(request, form, shown, keys)
    for app, lines in troubles.items():
        for line in lines:
            request.output.trouble(f"{app}: {line}")
    for line in between:
        request.output.trouble(line)
    return 0 if verified else 1


COMMANDS = (promote, diff, verify)


# ----------------------------------------------------------------- promote


def _targets(pipeline: Pipeline, source: AppName, named: Sequence[AppName]) -> Sequence[AppName]:
    """``UserError`` when one is not of the pipeline, or nothing comes after the source."""
    for target in named:
        pipeline.stage_of(target)
    targets = named or pipeline.downstream(source)
    if not targets:
        raise UserError(
            f"nothing comes after {source}: {pipeline.stage_of(source)} is the last stage of"
            f" {pipeline.name} that has apps",
            "--to APP promotes to any app of the pipeline",
        )
    return targets


def _mode(one_by_one: bool, all_or_nothing: bool) -> Mode:
    if one_by_one and all_or_nothing:
        raise UserError("--one-by-one and --all-or-nothing exclude each other", "give one of them")
    if one_by_one:
        return Mode.ONE_BY_ONE
    return Mode.ALL_OR_NOTHING if all_or_nothing else Mode.INDEPENDENT


def _asker(request: Request, form: str) -> Asker:
    """What is streamed goes to stderr where stdout is one document."""
    asker = request.asker
    output = errors_of(request.session) if form == "json" else asker.output
    return Asker(asker.by, output, asker.cancellation)


def _rehearse(request: Request, promotion: Promotion, form: str, *, network: bool) -> int:
    """One target after the other: side by side they would tell wrong times."""
    if promotion.mode is not Mode.INDEPENDENT:
        raise UserError(
            f"--{promotion.mode} says how traffic moves, and a rehearsal moves none",
            "leave it out",
        )
    origin = request.platform.promoter.candidate(promotion)
    asked = [Rehearsal(target, origin, request.session.by, network) for target in promotion.targets]
    results = [rehearsed(request, each, _asker(request, form)) for each in asked]
    went_well = all(result.went_well for result in results)
    if form == "json":
        targets = [result.document for result in results]
        shown = {"source": str(promotion.source), "went_well": went_well, "targets": targets}
        show_json(request, shown)
    else:
        for result in results:
            result.tell(request.output)
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


# ----------------------------------------------------------------- diff


def _live_upstream(request: Request, pipeline: Pipeline, app: AppName) -> Sequence[AppName]:
    """Those of the stage before that have something live; all of them when none has."""
    before = pipeline.upstream(app)
    return [each for each in before if request.store.releases.current(each)] or before


def _compared(request: Request, source: AppName, target: AppName) -> tuple[Comparison, Divergence]:
    comparison = compare(_side(request, source), _side(request, target))
    ours, theirs = comparison.source.live, comparison.target.live
    if ours is None:
        raise UserError(f"{source} has no live release to compare", f"releases {source}")
    if theirs is None:
        return comparison, request.platform.refs.divergence(source, ours.slug.commit, source, None)
    if theirs.slug.commit == ours.slug.commit:
        return comparison, Divergence()
    refs = request.platform.refs
    return comparison, refs.divergence(source, ours.slug.commit, target, theirs.slug.commit)


def _side(request: Request, app: AppName) -> Side:
    store = request.store
    return Side(
        app=app,
        live=store.releases.current(app),
        config=store.config.whole(app),
        disks=store.disks.of(app),
        scaled=store.apps.get(app).formation,
    )


# ----------------------------------------------------------------- verify


def _evidence(request: Request, app: AppName) -> Evidence:
    """Read from the engine first: what the ledger says afterwards is never older.

    Whoever holds the app's lock is asked for before and after: no deploy fits in between.
    """
    platform, releases = request.platform, request.store.releases
    changing = platform.locks.holder(app) is not None
    running = platform.scheduler.specimens(app)
    found = request.store.apps.get(app)
    live = releases.current(app)
    named = {each.version for each in running if each.version is not None}
    records = [record for version in named if (record := releases.find(app, version))]
    stopped = live is None or found.stopped
    return Evidence(
        app=app,
        live=live,
        running=running,
        recorded={record.version: record.slug.image for record in records},
        wanted=() if live is None or stopped else platform.manifests.of(found, live).slots(),
        shipping=frozenset(record.version for record in records if record.status.unfinished),
        promoted=_promoted_image(request, live),
        changing=changing or platform.locks.holder(app) is not None,
    )


def _promoted_image(request: Request, live: Release | None) -> ImageDigest | None:
    """The image of the release that ``live`` was promoted from, while the ledger has it.

    Another app may have got the name of that one since: its release has another commit.
    """
    origin = promoted_from(live) if live else None
    if live is None or origin is None:
        return None
    record = request.store.releases.find(*origin)
    if record is None or record.slug.commit != live.slug.commit:
        return None
    return record.slug.image


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
