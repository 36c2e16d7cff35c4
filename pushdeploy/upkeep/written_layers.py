"""Bounds what containers write beside their disks, which fills the file system of everybody."""

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.names import AppName, KeyName
from pushdeploy.domain.ports.scheduler import Scheduler
from pushdeploy.domain.task import Task
from pushdeploy.flow.restart import Restarts
from pushdeploy.flow.turn import Turns
from pushdeploy.output import Quiet

_log = logging.getLogger(__name__)

_MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class WrittenLayers:
    """Looks at the written layer of each container; ``most_bytes`` is what one may write.

    0 allows as much as there is.
    """

    scheduler: Scheduler
    restarts: Restarts
    turns: Turns
    most_bytes: int
    _starting: set[AppName] = field(default_factory=set)

    def bound(self) -> None:
        """Start tasks anew that have written too much, and end one-offs.

        A task may take long to start, or not start at all: nobody waits for that, neither the
        tasks of other apps nor the next look. ``PushdeployError`` where nobody can say who
        has written what.
        """
        if not self.most_bytes:
            return
        sizes = self.scheduler.written_bytes()
        beyond = {each: size for each, size in sizes.items() if size > self.most_bytes}
        if not beyond:
            return
        self._end_one_offs(beyond)
        found: dict[AppName, list[Task]] = {}
        for task in self.scheduler.tasks():
            if task.container in beyond and task.app not in self._starting:
                found.setdefault(task.app, []).append(task)
        for app, tasks in found.items():
            self._starting.add(app)
            threading.Thread(
                target=self._start_all, args=[app, tasks, beyond], name=f"anew-{app}", daemon=True
            ).start()

    def _end_one_offs(self, beyond: Mapping[str, int]) -> None:
        for container, size_bytes in beyond.items():
            if name := self.scheduler.kill_one_off(container):
                _log.warning("%s is ended: %s", name, self._why(size_bytes))

    def _start_all(
        self, app: AppName, tasks: Sequence[Task], sizes_bytes: Mapping[str, int]
    ) -> None:
        try:
            for task in tasks:
                self._start_anew(task, sizes_bytes[task.container])
        except Exception:  # noqa: BLE001 - a thread of its own, and the next look tries again
            _log.exception("app=%s is not started anew", app)
        finally:
            self._starting.discard(app)

    def _start_anew(self, task: Task, size_bytes: int) -> None:
        """Unless somebody is at work on the app: then the next time."""
        if self.turns.locks.holder(task.app) is not None:
            return
        why = f"{task.slot} is started anew: {self._why(size_bytes)}"
        _log.warning("app=%s %s", task.app, why)
        self.scheduler.note(task, why)
        server = Asker(KeyName("the server"), Quiet(), Cancellation())
        try:
            with self.turns.of(task.app, f"restart of {task.slot}", server):
                self.restarts.restart(task.app, str(task.slot), Quiet())
        except PushdeployError as error:
            _log.warning("app=%s %s is not started anew: %s", task.app, task.slot, error.message)

    def _why(self, size_bytes: int) -> str:
        return (
            f"it has written {size_bytes // _MEGABYTE} MB beside its disks,"
            f" and {self.most_bytes // _MEGABYTE} MB are all that it may"
            " (PUSHDEPLOY_TASK_LAYER_BYTES): put files that are to stay on a disk"
        )
