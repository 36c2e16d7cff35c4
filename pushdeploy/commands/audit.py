"""The command audit shows who asked this server for what, and how it ended."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import click

from pushdeploy.commands.face.arguments import form_option
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.printing import show_rows
from pushdeploy.commands.face.request import Request
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.units import parse_seconds
from pushdeploy.output import duration
from pushdeploy.store import AuditEntry, AuditState


def parse_since(text: str) -> datetime:
    """``2h`` and ``7d`` ago, or a day or moment as in 2026-01-31 and 2026-01-31T12:00; in UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return _ago(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@command("audit", needs="admin", reads=True, example="audit --app shop --since 7d")
@click.option("--app", "app", metavar="APP", help="Only entries about an app, or its former name.")
@click.option("--by", metavar="NAME", help="Only what one key has asked for.")
@click.option(
    "--since", type=parse_since, metavar="WHEN", help="From 2h or 7d ago, or 2026-01-31, on."
)
@click.option(
    "-n",
    "--num",
    "--limit",
    "limit",
    type=click.IntRange(1, 100_000),
    default=50,
    show_default=True,
    help="How many rows at the most, the newest.",
)
@form_option
def audit(
    request: Request,
    app: str | None,
    by: str | None,
    since: datetime | None,
    limit: int,
    form: str,
) -> None:
    """Show who asked for what, newest first: changes, secrets, git, logins, refusals.

    What the server's own shell did is by (root), or whoever it was. Values of config vars, and what
    looks like a password, are not kept.
    """
    found = request.store.audit.list(limit, app=app, by=by, since=since)
    rows = [_row(entry) for entry in found]
    shown = ("at", "by", "app", "result", "took", "command")
    show_rows(request, form, rows, shown, empty="no such row: audit shows the newest of all")


COMMANDS = (audit,)


def _ago(text: str) -> datetime:
    try:
        return datetime.now(UTC) - timedelta(seconds=parse_seconds(text))
    except (UserError, OverflowError) as error:
        raise UserError(
            f"{text[:40]!r} is not a time", "give 90m, 7d, 2026-01-31 or 2026-01-31T12:00"
        ) from error


def _row(entry: AuditEntry) -> Mapping[str, object]:
    return {
        "at": entry.at,
        "by": entry.by,
        "app": entry.app,
        "command": entry.command,
        "state": entry.state.value,
        "exit_status": entry.exit_status,
        "seconds": entry.seconds,
        "result": _result(entry),
        "took": duration(entry.seconds) if entry.seconds is not None else "",
    }


def _result(entry: AuditEntry) -> str:
    if entry.state is not AuditState.ENDED:
        return entry.state.value
    return "ok" if entry.exit_status == 0 else f"exit {entry.exit_status}"
