"""Processes: what runs of an app, what should, and what is to be done about the difference."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pushdeploy.domain.app import App
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.names import WEB
from pushdeploy.domain.plan import TaskPlan, has_one_writer, is_foreign, plan_tasks, serves
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.ports.scheduler import Scheduler
from pushdeploy.domain.release import Release
from pushdeploy.domain.task import Slot, Task
from pushdeploy.run.manifests import Manifests
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class AppPlan:
    """A plan keeps, starts and stops tasks of ``app``, whose live release is ``live``."""

    app: App
    live: Release | None
    tasks: TaskPlan

    @property
    def version(self) -> int | None:
        return self.live.version if self.live else None

    @property
    def has_one_writer(self) -> bool:
        return self.live is not None and has_one_writer(self.app, self.live)

    def is_down(self, present: Sequence[Task]) -> bool:
        """Tell whether web processes are wanted, and none is ``present``."""
        tasks = self.tasks
        wanted = serves(tasks.keep) or any(slot.process_type == WEB for slot in tasks.start)
        return wanted and not serves(present)

    def without(self, stopped: Sequence[Task]) -> "AppPlan":
        """The same when ``stopped`` have been."""
        left = [task for task in self.tasks.stop if task not in stopped]
        return replace(self, tasks=replace(self.tasks, stop=left))


@dataclass(frozen=True, slots=True)
class Processes:
    """The tasks of a live release are compared with the formation, started and stopped."""

    store: Store
    scheduler: Scheduler
    manifests: Manifests

    def plan(self, app: App) -> AppPlan:
        """Decided without touching anything. Tasks of a release that is just being shipped are
        left alone."""
        live = self.store.releases.current(app.name)
        shipping = {r.version for r in self.store.releases.unfinished() if r.app == app.name}
        tasks = [
            task
            for task in self.scheduler.tasks(app.name)
            if not is_foreign(task, live) and task.version not in shipping
        ]
        wanted: Sequence[Slot] = []
        if live is not None and not app.stopped and app.put_back is None:
            wanted = self._slots(app, live, tasks)
        return AppPlan(app, live, plan_tasks(wanted, live.version if live else None, tasks))

    def _slots(self, app: App, live: Release, tasks: Sequence[Task]) -> Sequence[Slot]:
        """Those of the formation; of a release that cannot be read, what runs of it goes on."""
        if live.unreadable:
            return [task.slot for task in tasks if task.version == live.version]
        return self.manifests.of(app, live).slots()

    def start(self, plan: AppPlan, slots: Sequence[Slot], output: Output) -> Sequence[Task]:
        """Start those ``slots`` of the live release, and return them when all are healthy.

        ``BootFailed``.
        """
        if plan.live is None or not slots:
            return []
        manifest = self.manifests.of(plan.app, plan.live)
        return self.scheduler.run(manifest, slots, output, Cancellation())
