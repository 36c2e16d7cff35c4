"""Whether what a running server does by itself goes well."""

from collections.abc import Sequence
from datetime import UTC, datetime

from pushdeploy.doctor.check import Check, Installation
from pushdeploy.domain.chore_run import ChoreRun
from pushdeploy.domain.finding import Finding
from pushdeploy.upkeep.chore_runs import kept_runs

_LIST = "ssh deploy upkeep:list"


def check_upkeep(runs: Sequence[ChoreRun], *, serving: bool) -> Finding:
    """Nothing is looked after, and so nothing missed, where no server runs."""
    if not serving:
        return Finding("upkeep", True, "no server runs, which would look after things")
    now = datetime.now(UTC)
    wrong = [f"{run.chore}: {run.trouble}" for run in runs if run.outcome == "failed"]
    wrong += [f"{run.chore} hangs since {run.began}" for run in runs if run.hangs(now)]
    return Finding("upkeep", not wrong, "; ".join(wrong) or f"{len(runs)} chores go well", _LIST)


def _look(installation: Installation) -> Sequence[Finding]:
    runs = kept_runs(installation.home.chore_runs)
    return [check_upkeep(runs, serving=installation.serving)]


CHECK = Check(120, _look)
