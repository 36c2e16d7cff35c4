"""A plan keeps, starts and stops tasks so that exactly the wanted slots of one release run."""

from collections.abc import Sequence
from dataclasses import dataclass

from pushdeploy.domain.app import App
from pushdeploy.domain.disk import CutOver, cut_over_of
from pushdeploy.domain.names import WEB
from pushdeploy.domain.release import Release
from pushdeploy.domain.task import Slot, Task


@dataclass(frozen=True, slots=True)
class TaskPlan:
    """A plan keeps and stops tasks, and starts slots."""

    keep: Sequence[Task]
    start: Sequence[Slot]
    stop: Sequence[Task]


def plan_tasks(wanted: Sequence[Slot], version: int | None, tasks: Sequence[Task]) -> TaskPlan:
    """The newest present task of each wanted slot stays; others go; slots without one are started.

    A task that has stopped for good counts as absent: the engine restarts crashed ones by itself.
    """
    keep: dict[Slot, Task] = {}
    for task in sorted(tasks, key=lambda task: task.created_at):
        if task.version == version and task.slot in wanted and task.state != "stopped":
            keep[task.slot] = task
    kept = list(keep.values())
    return TaskPlan(
        keep=kept,
        start=[slot for slot in wanted if slot not in keep],
        stop=[task for task in tasks if task not in kept],
    )


def is_foreign(task: Task, live: Release | None) -> bool:
    """Tell whether a task calls itself one of ``live`` and runs another image.

    Somebody has started it by hand: it gets no traffic and takes nobody's place, and is left for
    ``pipelines:verify`` to name.
    """
    return live is not None and task.version == live.version and task.image != live.slug.image


def serves(tasks: Sequence[Task]) -> bool:
    """Tell whether one of them is a web process."""
    return any(task.slot.process_type == WEB for task in tasks)


def has_one_writer(app: App, live: Release) -> bool:
    """Tell whether no two tasks of different times may write to its disks at once."""
    return cut_over_of(live.disks, app.settings.disks.cut_over) is CutOver.EXCLUSIVE
