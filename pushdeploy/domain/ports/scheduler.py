"""The port of a scheduler: it makes tasks of a release."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.container import LogLine
from pushdeploy.domain.manifest import Manifest
from pushdeploy.domain.names import AppName
from pushdeploy.domain.one_off import OneOff
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.ports.start_gate import StartGate
from pushdeploy.domain.ports.streams import Streams
from pushdeploy.domain.task import Slot, SlotDeaths, Specimen, Task, Tried


class Scheduler(Protocol):
    """Makes tasks of a release; what it starts is marked so that ``tasks`` reads it back."""

    def run(
        self,
        manifest: Manifest,
        slots: Sequence[Slot],
        output: Output,
        cancellation: Cancellation,
        gate: StartGate | None = None,
    ) -> Sequence[Task]:
        """Start these slots side by side and wait until all are healthy.

        One that does not become healthy raises ``BootFailed`` with its last log lines, and none
        of them is left. The tasks of other calls are not touched. Behind a ``gate`` they are made
        ready, and begin when it opens; ``Cancelled`` when it is shut. The engine looks after those
        from ``confirm`` on: that takes it a moment, in which traffic may move already.
        """

    def run_once(
        self,
        one_off: OneOff,
        streams: Streams,
        cancellation: Cancellation,
        gate: StartGate | None = None,
        ended: Callable[[int], None] | None = None,
    ) -> int:
        """Run a command in a container of its own: its exit code, ``TIMED_OUT`` at its time-out.

        The container is gone afterwards, also after a cancel, which raises ``Cancelled``. Behind a
        ``gate`` it is made ready, without input, and the command begins when the gate opens;
        ``Cancelled`` when it is shut. ``ended`` is called with the exit code as soon as it is
        known, before the container is removed.
        """

    def try_out(
        self,
        manifest: Manifest,
        slot: Slot,
        grace_seconds: int,
        output: Output,
        cancellation: Cancellation,
    ) -> Tried:
        """Start one process, wait until it is healthy, and stop it again: what each took.

        It never was a task. ``BootFailed`` as with ``run``; nothing is left in any case.
        """

    def watching(self, tasks: Sequence[Task], fallen: Cancellation) -> AbstractContextManager[None]:
        """While inside, cancel ``fallen`` when one of them has ended. The engine is not asked."""

    def confirm(self, tasks: Sequence[Task]) -> None:
        """Let the engine look after the tasks from now on, and start them anew when they end.

        ``BootFailed`` with its last log lines when one does not run on as it was started.
        """

    def listening(self, tasks: Sequence[Task]) -> Sequence[Task]:
        """List the tasks without those of web that nothing can be connected to: dead, or not
        ready.
        """

    def deaths(self, app: AppName, version: int) -> Sequence[SlotDeaths]:
        """The places of a release whose processes ended by themselves, as far as was seen."""

    def stop(self, tasks: Sequence[Task], grace_seconds: int) -> None:
        """SIGTERM, the grace period, SIGKILL; side by side; then remove. Keeps their last logs."""

    def finish_once(
        self, app: AppName, name: str, timeout_seconds: float, line: Callable[[str], None]
    ) -> int | None:
        """Wait for a one-off that a killed server left: its exit code, None where there is none.

        Its time-out goes on from its start, as with ``run_once``. ``line`` gets all that it
        printed. The container is gone afterwards.
        """

    def note(self, task: Task, text: str) -> None:
        """Put a line of ours among those of the task's log."""

    def remove_strays(self, app: AppName | None = None) -> int:
        """Remove one-off containers that a killed server left: how many.

        Release commands that still run are left to end, unless ``app`` is to be rid of everything.
        What rehearsals have left goes with those of all apps.
        """

    def written_bytes(self) -> Mapping[str, int]:
        """The bytes that what runs has written beside its disks, by container."""

    def kill_one_off(self, container: str) -> str:
        """Kill a one-off that runs in ``container``: its name, empty where it is none."""

    def tasks(self, app: AppName | None = None) -> Sequence[Task]:
        """Return the tasks that run, read from the containers' labels."""

    def specimens(self, app: AppName) -> Sequence[Specimen]:
        """Every running container that carries the app's label, but for those of builds."""

    def logs(
        self,
        app: AppName,
        *,
        tail: int,
        follow: bool,
        process: str | None,
        stop: Callable[[], bool],
    ) -> Iterator[tuple[str, LogLine] | None]:
        """Lines of all tasks merged by time with their slot's name; kept ones of former tasks too.

        ``process`` is a type (``web``) or a slot (``web.1``). Following ends when ``stop()``; it
        gives None once after the last line of the past, and whenever nothing comes for a moment.
        """

    def forget_logs(self, app: AppName) -> None:
        """Remove the kept logs of former tasks."""

    def rename_logs(self, app: AppName, new: AppName) -> None:
        """The kept logs follow an app to its new name."""

    def changes(self) -> AbstractContextManager[Iterator[AppName | None]]:
        """An item whenever the tasks of an app changed by themselves; None: look at all."""
