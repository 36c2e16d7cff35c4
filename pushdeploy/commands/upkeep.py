"""Upkeep: what the server looks after by itself, and how it went."""

from collections.abc import Mapping
from datetime import UTC, datetime

from pushdeploy.commands.face.arguments import form_option
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.printing import show_rows
from pushdeploy.commands.face.request import Request
from pushdeploy.domain.chore_run import ChoreRun
from pushdeploy.output import duration


@command("upkeep:list", "upkeep", reads=True, example="upkeep:list")
@form_option
def list_(request: Request, form: str) -> None:
    """Show what the server does by itself: how often, when last, and how it ended."""
    now = datetime.now(UTC)
    rows = [_row(run, now) for run in request.upkeep.runs.all()]
    shown = ("chore", "when", "last_start", "took", "result")
    show_rows(request, form, rows, shown, empty="nothing is looked after yet: the server starts")


COMMANDS = (list_,)


def _row(run: ChoreRun, now: datetime) -> Mapping[str, object]:
    result = "hangs" if run.hangs(now) else run.outcome
    return {
        "chore": run.chore,
        "when": run.when,
        "last_start": run.began,
        "seconds": run.seconds,
        "outcome": run.outcome,
        "hangs": run.hangs(now),
        "trouble": run.trouble,
        "took": duration(run.seconds) if run.seconds is not None else "",
        "result": f"{result}: {run.trouble}" if run.trouble else result,
    }
