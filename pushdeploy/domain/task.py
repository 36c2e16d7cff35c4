"""A task: one running container of an app, and how its process ended where it did."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from pushdeploy.domain.names import AppName, ProcessType
from pushdeploy.domain.shell import signal_name


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """A place in the formation: ``web.1`` is ``Slot("web", 1)``."""

    process_type: ProcessType
    index: int

    def __str__(self) -> str:
        return f"{self.process_type}.{self.index}"

    def is_of(self, process: str | None) -> bool:
        """Tell whether ``process`` names it, or its type; None names all."""
        return process in {None, str(self.process_type), str(self)}


@dataclass(frozen=True, slots=True)
class Death:
    """A process ended although nobody had told it to. ``at`` is when it was seen."""

    at: datetime
    exit_code: int
    out_of_memory: bool = False

    @property
    def signal(self) -> str:
        """``SIGABRT``; empty where the exit code names no signal."""
        return signal_name(self.exit_code)

    def __str__(self) -> str:
        """The end of ``web.1 ended with …``."""
        named = f" ({self.signal})" if self.signal else ""
        memory = ", for want of memory" if self.out_of_memory else ""
        return f"exit code {self.exit_code}{named}{memory}"


TaskState = Literal["starting", "up", "stopped", "crashed"]


@dataclass(frozen=True, slots=True)
class SlotDeaths:
    """Processes in one place ended by themselves this often, so at first and so at last."""

    slot: Slot
    times: int
    first: Death
    last: Death


@dataclass(frozen=True, slots=True)
class Task:
    """``address`` is the container's own IP, or empty; ``port`` is where web listens.

    ``machine`` is where it runs, empty on this one: there its address is reached directly.
    ``scheduler`` runs it, empty for that of the server.

    ``restarts`` counts how often its place was filled anew because its process had ended by
    itself; ``last_death`` is the last such end that the present server has seen.
    """

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
    started_at: datetime | None = None
    restarts: int = 0
    last_death: Death | None = None
    machine: str = ""
    scheduler: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Tried:
    """A process took so long to become healthy, and then to end when it was told to."""

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
