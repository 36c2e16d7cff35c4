"""A task: one running container of an app."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from pushdeploy.domain.names import AppName, ProcessType


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """A place in the formation: ``web.1`` is ``Slot("web", 1)``."""

    process_type: ProcessType
    index: int

    def __str__(self) -> str:
        return f"{self.process_type}.{self.index}"


TaskState = Literal["starting", "up", "stopped", "crashed"]


@dataclass(frozen=True, slots=True)
class Task:
    """``address`` is the container's own IP, or empty; ``port`` is where web listens."""

    app: AppName
    slot: Slot
    version: int
    container: str
    address: str
    port: int
    state: TaskState
    created_at: datetime
    exit_code: int | None = None
    image: str = ""


@dataclass(frozen=True, slots=True)
class Tried:
    """How long a process took to become healthy, and then to end when it was told to."""

    boot_seconds: float
    stop_seconds: float


@dataclass(frozen=True, slots=True)
class Specimen:
    """A running container that carries an app's label, whoever has started it.

    ``place`` and ``version`` are what it calls itself (``web.1``, ``run.9157``): empty and None
    where it does not.
    """

    app: AppName
    container: str
    name: str
    image: str
    place: str = ""
    version: int | None = None
    is_task: bool = False
