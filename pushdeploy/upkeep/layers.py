"""Bounds what containers write beside their disks, which fills the file system of everybody."""

import logging
from dataclasses import dataclass

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.ports import Engine, Scheduler
from pushdeploy.domain.task import Task
from pushdeploy.locks import AppLocks, Purpose
from pushdeploy.output import Quiet
from pushdeploy.run.labels import ONCE, ROLE
from pushdeploy.upkeep.reconcile import Reconciler

_log = logging.getLogger(__name__)

_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Layers:
    """``most_bytes`` is what one container may write; 0: as much as there is."""

    engine: Engine
    scheduler: Scheduler
    reconciler: Reconciler
    locks: AppLocks
    most_bytes: int

    def bound(self) -> None:
        """Start tasks anew that have written too much, and end one-offs.

        One task that does not start is logged and keeps no other. ``PushdeployError`` where the
        engine cannot say who has written what.
        """
        if not self.most_bytes:
            return
        sizes = self.engine.layer_sizes()
        beyond = {each: size for each, size in sizes.items() if size > self.most_bytes}
        if not beyond:
            return
        self._end_one_offs(beyond)
        for task in self.scheduler.tasks():
            if task.container in beyond:
                self._start_anew(task, beyond[task.container])

    def _end_one_offs(self, beyond: dict[str, int]) -> None:
        for info in self.engine.containers({ROLE: ONCE}):
            if info.id in beyond:
                _log.warning("%s is ended: %s", info.name, self._why(beyond[info.id]))
                self.engine.signal(info.id, "KILL")

    def _start_anew(self, task: Task, size_bytes: int) -> None:
        """Unless somebody is at work on the app: then the next time."""
        if self.locks.holder(task.app) is not None:
            return
        why = f"{task.slot} is started anew: {self._why(size_bytes)}"
        _log.warning("app=%s %s", task.app, why)
        self.scheduler.note(task, why)
        purpose = Purpose(f"restart of {task.slot}", "the server")
        try:
            with self.locks.hold(task.app, purpose, Quiet(), Cancellation()):
                self.reconciler.restart(task.app, str(task.slot), Quiet())
        except PushdeployError as error:
            _log.warning("app=%s %s is not started anew: %s", task.app, task.slot, error.message)

    def _why(self, size_bytes: int) -> str:
        return (
            f"it has written {size_bytes // _MEGABYTE} MB beside its disks,"
            f" and {self.most_bytes // _MEGABYTE} MB are all that it may"
            " (PUSHDEPLOY_TASK_LAYER_BYTES): put on a disk what is to stay"
        )
