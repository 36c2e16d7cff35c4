"""Restart: the tasks of a live release are replaced by new ones of the same release."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import AppName
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.route import targets_of
from pushdeploy.domain.task import Slot, Task
from pushdeploy.flow.converge import Converger
from pushdeploy.flow.processes import AppPlan, Processes
from pushdeploy.flow.swap import Swaps
from pushdeploy.flow.traffic import Traffic
from pushdeploy.output import Quiet


@dataclass(frozen=True, slots=True)
class _Anew:
    """``slots`` of a live release are to run anew in place of ``old``, while ``stay`` serve on."""

    plan: AppPlan
    old: Sequence[Task]
    slots: Sequence[Slot]
    stay: Sequence[Task]


@dataclass(frozen=True, slots=True)
class Restarts:
    """The tasks of a live release are replaced by new ones."""

    converger: Converger
    processes: Processes
    traffic: Traffic
    swaps: Swaps

    def restart(self, name: AppName, process: str | None, output: Output) -> Sequence[Slot]:
        """Replace the tasks of ``process`` (a type, a slot, None: all).

        New ones come first; where one version at a time writes to a disk, the old ones go first.
        """
        with self.traffic.alone(name):
            plan = self.processes.plan(self.converger.put_back(name, output))
            if plan.live is None:
                raise UserError(
                    f"nothing of {name} has been released yet, so nothing runs",
                    "git push deploy main",
                )
            if plan.app.stopped:
                raise UserError(f"{name} is stopped", f"ps:start {name}")
            plan = self.converger.clear(plan)
            anew = _anew(plan, process)
            if plan.has_one_writer:
                self._swap(anew, output)
            else:
                self._replace(anew, output)
            grace_seconds = plan.app.settings.run.stop_grace_seconds
            self.processes.scheduler.stop(plan.tasks.stop, grace_seconds)
        return anew.slots

    def _replace(self, anew: _Anew, output: Output) -> None:
        plan, old, scheduler = anew.plan, anew.old, self.processes.scheduler
        grace_seconds = plan.app.settings.run.stop_grace_seconds
        new = self.processes.start(plan, anew.slots, output)
        with ExitStack() as undo:
            undo.callback(scheduler.stop, new, grace_seconds)
            self.traffic.send(plan.app, plan.version, [*anew.stay, *new], output, leaving=old)
            undo.pop_all()
        scheduler.stop(old, grace_seconds)

    def _swap(self, anew: _Anew, output: Output) -> None:
        """Requests wait between the old ones and the new ones, unless others take them."""
        plan, old, stay = anew.plan, anew.old, anew.stay
        others_serve = bool(targets_of(stay))
        if others_serve:
            self.traffic.send(plan.app, plan.version, stay, output, leaving=old)
        new: Sequence[Task] = []
        with self.swaps.of(plan.app, output) as swap:
            try:
                swap.make_way(old, Quiet(), hold=not others_serve)
                new = self.processes.start(plan, anew.slots, output)
            finally:
                serving = [*stay, *new] if swap.stopping else [*stay, *old]
                self.traffic.send(plan.app, plan.version, serving, output)


def _anew(plan: AppPlan, process: str | None) -> _Anew:
    """Raise ``UserError`` where ``process`` names nothing that runs or should."""
    old = [task for task in plan.tasks.keep if task.slot.is_of(process)]
    missing = {slot for slot in plan.tasks.start if slot.is_of(process)}
    slots = sorted({task.slot for task in old} | missing)
    if not slots:
        raise UserError(f"{plan.app.name} runs no {process or 'process'}", f"ps {plan.app.name}")
    return _Anew(plan, old, slots, [task for task in plan.tasks.keep if task not in old])
