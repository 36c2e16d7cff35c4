"""Pure functions read tasks back from the labels of their containers."""

import re
from collections.abc import Mapping

from pushdeploy.domain.container import ContainerInfo
from pushdeploy.domain.names import AppName, ProcessType
from pushdeploy.domain.task import Slot, Specimen, Task, TaskState

APP = "pushdeploy.app"
RELEASE = "pushdeploy.release"
TYPE = "pushdeploy.type"
INDEX = "pushdeploy.index"
ROLE = "pushdeploy.role"
PORT = "pushdeploy.port"
DYNO = "pushdeploy.dyno"

TASK = "task"
"""The role of a container that fills a slot of the formation."""

ONCE = "once"
"""The role of a one-off container: a release command, ``run``."""

REHEARSAL = "rehearsal"
"""The role of whatever a rehearsal runs: neither a task nor anybody's one-off."""

BUILD = "build"
"""The role of what builds make and remove."""

_RUNNING = frozenset({"running", "paused", "restarting"})
_NUMBER = re.compile(r"[0-9]{1,9}")


def is_running_release(info: ContainerInfo) -> bool:
    """Tell whether it is a release command that has not ended; one of a rehearsal does not
    count.
    """
    named = info.labels.get(ROLE) == ONCE and info.labels.get(DYNO, "").startswith("release.")
    return named and info.state == "running"


def slot_of(labels: Mapping[str, str]) -> Slot | None:
    """The slot that a container's labels name; None when it is no task.

    None too where labels are missing: somebody else has started it with some of ours.
    """
    named = [labels.get(name, "") for name in (INDEX, RELEASE, PORT)]
    if labels.get(ROLE) != TASK or APP not in labels or not all(map(_NUMBER.fullmatch, named)):
        return None
    if not ProcessType.fits(labels.get(TYPE, "")):
        return None
    return Slot(ProcessType(labels[TYPE]), int(labels[INDEX]))


def exit_code_of(attributes: Mapping[str, str]) -> int:
    """Return the exit code beside the labels of a container's end; -1 where there is none."""
    code = attributes.get("exitCode", "")
    return int(code) if _NUMBER.fullmatch(code) else -1


def task_of(info: ContainerInfo, *, ours: bool) -> Task | None:
    """``ours`` tells whether the present server has started it, or is just doing so."""
    slot = slot_of(info.labels)
    if slot is None:
        return None
    return Task(
        app=AppName(info.labels[APP]),
        slot=slot,
        version=int(info.labels[RELEASE]),
        container=info.id,
        address=info.address,
        port=int(info.labels[PORT]),
        state=state_of(info, ours=ours),
        created_at=info.created_at,
        exit_code=info.exit_code,
        image=info.image,
        started_at=info.started_at,
        restarts=info.restarts,
    )


def specimen_of(info: ContainerInfo) -> Specimen | None:
    """A running container of an app; None for builds, which run a stack, and for rehearsals."""
    labels = info.labels
    if info.state not in _RUNNING or labels.get(ROLE) in {BUILD, REHEARSAL}:
        return None
    version = labels.get(RELEASE, "")
    slot = slot_of(labels)
    return Specimen(
        app=AppName(labels[APP]),
        container=info.id,
        name=info.name,
        image=info.image,
        place=str(slot) if slot else labels.get(DYNO, ""),
        version=int(version) if _NUMBER.fullmatch(version) else None,
        is_task=slot is not None,
    )


def state_of(info: ContainerInfo, *, ours: bool) -> TaskState:
    """``stopped`` is for good; the engine restarts what is ``crashed`` while it is kept.

    A container that is not kept was never found healthy: when the present server is not about
    to, a killed one was, and nobody will ever finish it.
    """
    if info.state == "restarting":
        return "crashed"
    if info.state in {"running", "paused"} and info.kept:
        return "up"
    if info.kept or not ours:
        return "stopped"
    if info.state in {"exited", "dead", "removing"}:
        return "crashed" if info.exit_code else "stopped"
    return "starting"
