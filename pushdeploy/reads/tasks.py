"""Tells what runs of an app: its tasks and the one-off commands beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter

from pushdeploy.domain.app import App
from pushdeploy.domain.formation import formation_of
from pushdeploy.domain.names import AppName, ProcessType
from pushdeploy.domain.ports.scheduler import Scheduler
from pushdeploy.domain.published import PublishedFolder
from pushdeploy.domain.task import Death, Task
from pushdeploy.locks.one_offs import OneOffs, RunningOneOff
from pushdeploy.locks.traffic import TrafficLocks
from pushdeploy.run.manifests import Manifests
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class Process:
    """A task or a one-off command; what only tasks have is None or empty for a one-off.

    ``since`` is when its process started; ``last_death`` is the last time that a process in its
    place ended by itself.
    """

    name: str
    state: str
    version: int
    created_at: datetime
    since: datetime
    restarts: int = 0
    exit_code: int | None = None
    last_death: Death | None = None
    container: str | None = None
    address: str | None = None

    @classmethod
    def of_task(cls, task: Task) -> "Process":
        since, last = task.started_at or task.created_at, task.last_death
        if last is None and task.exit_code is not None:
            last = Death(since, task.exit_code)
        return cls(
            name=str(task.slot),
            state=task.state,
            version=task.version,
            created_at=task.created_at,
            since=since,
            restarts=task.restarts,
            exit_code=task.exit_code,
            last_death=last,
            container=task.container,
            address=task.address,
        )

    @classmethod
    def of_one_off(cls, one: RunningOneOff, container: str | None) -> "Process":
        """Describe a one-off command, which has no ``container`` while that is being made."""
        return cls(one.name, "up", one.version, one.since, one.since, container=container)


@dataclass(frozen=True, slots=True)
class RunningApp:
    """The processes of an app run, the oldest first, with facts that a person should know of it.

    ``error`` says that processes of the live release did not stay up; ``held_since`` is since when
    requests are held; ``published`` is the folder that visitors of a static site get.
    """

    app: App
    processes: Sequence[Process]
    error: str
    held_since: datetime | None
    published: PublishedFolder | None = None


@dataclass(frozen=True, slots=True)
class TaskReader:
    """The reader tells which processes of an app run."""

    store: Store
    scheduler: Scheduler
    manifests: Manifests
    one_offs: OneOffs
    traffic: TrafficLocks

    def running(self, app: App) -> RunningApp:
        live = self.store.releases.current(app.name)
        processes = [
            *map(Process.of_task, self.scheduler.tasks(app.name)),
            *self._one_offs(app.name),
        ]
        return RunningApp(
            app=app,
            processes=sorted(processes, key=attrgetter("created_at", "name")),
            error=live.error if live else "",
            held_since=self.traffic.waiting_since(app.name),
            published=live.slug.published if live else None,
        )

    def tasks(self, app: AppName) -> Sequence[Task]:
        """List the tasks without one-off commands, by their slots' names."""
        return sorted(self.scheduler.tasks(app), key=lambda task: str(task.slot))

    def formation(self, app: App) -> Mapping[ProcessType, int]:
        """Return how many of each process type are to run, or will with the first release."""
        return formation_of(app, self.store.releases.current(app.name))

    def port(self, app: App) -> int | None:
        """Return the port of the live release's web processes; None where nothing is live."""
        live = self.store.releases.current(app.name)
        return self.manifests.of(app, live).port if live else None

    def _one_offs(self, app: AppName) -> Sequence[Process]:
        listed = self.one_offs.of(app)
        found = self.scheduler.specimens(app) if listed else ()
        containers = {each.place: each.container for each in found if not each.is_task}
        return [Process.of_one_off(one, containers.get(one.name)) for one in listed]
