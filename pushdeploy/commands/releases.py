"""Commands of releases show the ledger of an app, and roll back, retry or clean up."""

import re
from collections.abc import Sequence

import click

from pushdeploy.commands.face.arguments import app_argument, form_option
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.printing import Row, show_json, show_record, show_rows
from pushdeploy.commands.face.request import Request
from pushdeploy.commands.snapshots import accept_loss
from pushdeploy.domain.app import App
from pushdeploy.domain.errors import Busy, UserError
from pushdeploy.domain.retention import Verdict
from pushdeploy.domain.snapshot import Snapshot
from pushdeploy.output import duration
from pushdeploy.reads.releases import LedgerEntry, ReleaseDetails

_VERSION = re.compile(r"v?([1-9][0-9]{0,8})")


def parse_version(text: str) -> int:
    """``v12`` or ``12``."""
    match = _VERSION.fullmatch(text)
    if match is None:
        raise UserError(f"{text[:40]!r} is not a release", "write it like v12")
    return int(match.group(1))


_version_argument = click.argument("version", type=parse_version, required=False, metavar="[vN]")


@command("releases", "releases:list", reads=True, example="releases shop -n 5")
@app_argument
@click.option(
    "-n",
    "--num",
    "limit",
    type=click.IntRange(1, 10_000),
    default=15,
    show_default=True,
    help="How many.",
)
@form_option
def releases(request: Request, app: App, limit: int, form: str) -> None:
    """Show the releases of an app, newest first."""
    row = _row if form == "json" else _shown
    rows = [row(entry) for entry in request.reads.releases.ledger(app.name, limit)]
    shown = ("release", "status", "description", "by", "created_at")
    empty = f"no release of {app.name} yet: git push makes one"
    show_rows(request, form, rows, shown, empty=empty)


@command("releases:info", reads=True, example="releases:info shop v12")
@app_argument
@_version_argument
@form_option
def info(request: Request, app: App, version: int | None, form: str) -> None:
    """Show one release, the last one by default: config keys, disks, and the time of each step."""
    details = request.reads.releases.details(app.name, version)
    steps = _steps if form == "json" else _shown_steps
    record = {**_row(details.entry), **_more(details), "steps": steps(details.steps)}
    show_record(request, form, record, left_out=("version",))


@command("releases:output", reads=True, example="releases:output shop v12")
@app_argument
@_version_argument
@form_option
def output(request: Request, app: App, version: int | None, form: str) -> None:
    """Print the output of a release, the last one by default."""
    entry = request.reads.releases.entry(app.name, version)
    release, lines = entry.release, request.reads.releases.output(entry.release)
    if form == "json":
        show_json(request, {"version": release.version, "lines": list(lines)})
        return
    for line in lines:
        request.output.line(line)
    if not lines and entry.expired:
        request.output.trouble(f"{release.label} has expired: its output is not kept any longer")
    if release.status.unfinished:
        request.output.trouble(f"{release.label} is still {release.status}")


@command("releases:retry", example="releases:retry shop")
@app_argument
def retry(request: Request, app: App) -> None:
    """Release the slug of the last, failed release once more, without a build."""
    request.flow.retries.retry(app.name, request.asker)


@command("releases:rollback", "rollback", example="releases:rollback shop v12")
@app_argument
@_version_argument
@click.option("--no-release-phase", is_flag=True, help="Leave its release command out.")
@click.option("--with-disk", is_flag=True, help="The disks go back too, as it left them.")
@click.option("--force", is_flag=True, help="Do not ask, with --with-disk.")
def rollback(
    request: Request,
    app: App,
    version: int | None,
    no_release_phase: bool,
    with_disk: bool,
    force: bool,
) -> None:
    """Release a former slug with its config once more: by default the last that differs.

    Disks and databases stay as they are. With --with-disk the disks get the snapshot that was
    taken before the release after it; what was written since is lost, and told beforehand.
    """
    staged = request.reads.apps.staged(app.name)
    data = _data_of(request, app, version, force) if with_disk else None
    made = request.flow.rollbacks.roll_back(
        app.name,
        version,
        request.asker,
        release_phase=not no_release_phase,
        restore=data.id if data else None,
    )
    left = request.reads.releases.live_before(made)
    if data is None:
        request.output.line("code and config went back; disks and databases were not touched")
    else:
        request.output.line(f"code, config and disks went back; the disks to {data.label}")
        if made.snapshot is not None:
            undo = f"disks:restore {app.name} s{made.snapshot}"
            request.output.line(f"{undo} has what they held before")
    if staged:
        request.output.line(f"no longer staged: {', '.join(staged)}")
    if left is not None:
        request.output.line(f"releases:rollback {app.name} {left.label} undoes it")


@command("releases:gc", example="releases:gc --plan")
@click.option("--plan", is_flag=True, help="Only show what would go and why the rest stays.")
@form_option
def gc(request: Request, plan: bool, form: str) -> None:
    """Remove slugs and dependency layers that nothing needs, of all apps.

    What runs, what is live anywhere and the last releases of each app stay. The others stay in
    the ledger as expired. Nothing is removed while any app is being deployed. What builds and
    destroyed apps have left goes as well, as it does by itself each hour.
    """
    retention = request.upkeep.retention
    found = retention.plan() if plan else retention.collect()
    left = "" if plan else _left_beside(request)
    if left:
        request.output.trouble(f"{left}: it is tried again by itself")
    rows = [_verdict_row(verdict, plan=plan) for verdict in found]
    if form == "json":
        show_json(request, rows)
        return
    shown = [{**row, "image": str(row["image"])[:19]} for row in rows if plan or not row["stays"]]
    show_rows(request, form, shown, ("verdict", "kind", "image", "why"))
    staying = sum(1 for verdict in found if verdict.stays)
    gone = "would go" if plan else "removed"
    request.output.line(f"{len(found) - staying} {gone}, {staying} stay")


def _left_beside(request: Request) -> str:
    """Remove what is not a slug: what could not be, in words."""
    try:
        return request.upkeep.leftovers.remove_beside_slugs()
    except Busy as error:
        return error.message


COMMANDS: Sequence[click.Command] = (releases, info, output, rollback, retry, gc)


def _data_of(request: Request, app: App, version: int | None, force: bool) -> Snapshot:
    """The snapshot with the data as the former release left it, when its loss is accepted."""
    former = request.flow.rollbacks.former(app.name, version)
    found = request.reads.snapshots.left_by(former)
    typed = f"releases:rollback {app.name} {former.label} --with-disk --force"
    accept_loss(request, app, found, typed, force)
    return found


def _verdict_row(verdict: Verdict, *, plan: bool) -> Row:
    gone = "goes" if plan else "gone"
    return {
        "verdict": "stays" if verdict.stays else gone,
        "stays": verdict.stays,
        "kind": verdict.image.kind,
        "image": str(verdict.image.id),
        "why": verdict.why,
    }


def _row(entry: LedgerEntry) -> Row:
    release = entry.release
    return {
        "release": release.label,
        "version": release.version,
        "status": str(release.status),
        "current": entry.current,
        "expired": entry.expired,
        "reason": str(release.reason),
        "description": release.description,
        "commit": str(release.slug.commit),
        "slug": str(release.slug.image),
        "by": str(release.by),
        "created_at": release.created_at,
        "live_at": release.live_at,
        "error": release.error,
    }


def _shown(entry: LedgerEntry) -> Row:
    """For people: what has expired, and what went live and did not stay up."""
    row, release = _row(entry), entry.release
    marked = release.live_at is not None and release.error
    return {
        **row,
        "status": "expired" if entry.expired else row["status"],
        "description": f"{release.description}: {release.error}" if marked else row["description"],
    }


def _more(details: ReleaseDetails) -> Row:
    """The names of config vars, never a value."""
    release, config = details.entry.release, details.config
    return {
        "config_keys": sorted(release.whole_config),
        "config_added": list(config.added),
        "config_changed": list(config.changed),
        "config_removed": list(config.removed),
        "disks": {str(item.disk): item.mount_path for item in release.disks},
        "cut_over": str(release.cut_over),
        "snapshot": f"s{release.snapshot}" if release.snapshot else None,
        "restored": f"s{release.restore}" if release.restore else None,
    }


def _steps(steps: Sequence[tuple[str, float]]) -> list[dict[str, object]]:
    return [{"name": title, "seconds": round(seconds, 3)} for title, seconds in steps]


def _shown_steps(steps: Sequence[tuple[str, float]]) -> list[str]:
    return [f"{title} {duration(seconds)}" for title, seconds in steps]
