"""Start, stop and restart: the processes of the live release, without a release."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.errors import BackendDown, PushdeployError
from pushdeploy.domain.names import AppName
from pushdeploy.domain.ports.errands import Errands
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.ports.scheduler import Scheduler
from pushdeploy.flow.converge import Converger
from pushdeploy.flow.live_release import live_release
from pushdeploy.flow.restart import Restarts
from pushdeploy.flow.turn import Turns
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class StartStop:
    """The processes of a live release are started, stopped and restarted."""

    store: Store
    turns: Turns
    scheduler: Scheduler
    converger: Converger
    restarts: Restarts
    errands: Errands

    def start(self, name: AppName, asker: Asker) -> None:
        """Start what ``stop`` stopped. ``UserError`` where nothing is live, and nothing waits."""
        with self.turns.to_its_end(name, "start", asker) as app:
            if app.put_back is None:
                live_release(self.store, name, "git push deploy main")
            with (
                asker.output.step(f"Starting {name}"),
                self.or_back(name, asker.output, "it stays stopped") as undo,
            ):
                undo.callback(self.store.apps.set_stopped, name, app.stopped)
                self.store.apps.set_stopped(name, False)

    def stop(self, name: AppName, asker: Asker) -> bool:
        """Stop all processes until ``start``: False where they are stopped already."""
        with self.turns.to_its_end(name, "stop", asker) as app:
            if app.stopped:
                return False
            with asker.output.step(f"Stopping {name}"):
                self.store.apps.set_stopped(name, True)
                self.converger.converge(name, asker.output)
            return True

    def restart(self, name: AppName, process: str | None, asker: Asker) -> None:
        """Replace the processes of a type, or one such as web.1; all of them without either."""
        with (
            self.turns.to_its_end(name, "restart", asker),
            asker.output.step(f"Restarting {process or 'all processes'} of {name}"),
            self._told_when_nothing_runs(name),
        ):
            slots = self.restarts.restart(name, process, asker.output)
            asker.output.detail(", ".join(str(slot) for slot in slots))

    @contextmanager
    def or_back(self, name: AppName, output: Output, kept: str) -> Iterator[ExitStack]:
        """Make what runs follow a change that is made inside. Where that fails, the change is
        undone by what has been pushed on the stack, and the failure says what is ``kept``."""
        with ExitStack() as undo:
            try:
                yield undo
                self.converger.converge(name, output)
            except PushdeployError as error:
                undo.close()
                error.serving = kept
                self.converger.try_to_converge(name, output)
                raise
            undo.pop_all()

    @contextmanager
    def _told_when_nothing_runs(self, name: AppName) -> Iterator[None]:
        try:
            yield
        except PushdeployError as error:
            with suppress(BackendDown):
                if self._should_run(name) and not self.scheduler.tasks(name):
                    error.serving = (
                        f"nothing of {name} runs now: it is tried again by itself, and by"
                        f" ps:start {name}"
                    )
                    self.errands.look_again(name)
            raise

    def _should_run(self, name: AppName) -> bool:
        """Nothing is tried again where nobody wants it to run, or nothing is there to run."""
        stopped = self.store.apps.get(name).stopped
        return not stopped and self.store.releases.current(name) is not None
