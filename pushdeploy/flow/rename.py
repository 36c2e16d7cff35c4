"""Rename: an app gets another name and address, and serves all the while."""

from contextlib import ExitStack
from dataclasses import dataclass

from pushdeploy.certificates.choice import Certificates
from pushdeploy.disks.directories import Directories
from pushdeploy.domain.app import App
from pushdeploy.domain.asker import Asker
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import AppName
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.ports.refs import Refs
from pushdeploy.domain.route import renamed
from pushdeploy.flow.converge import Converger
from pushdeploy.flow.processes import Processes
from pushdeploy.flow.swap import Swap, Swaps, places
from pushdeploy.flow.traffic import Traffic
from pushdeploy.flow.turn import Turns
from pushdeploy.output import Quiet
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class Renames:
    """An app gets another name while it serves."""

    store: Store
    turns: Turns
    converger: Converger
    processes: Processes
    traffic: Traffic
    swaps: Swaps
    refs: Refs
    disks: Directories
    certificates: Certificates

    def rename(self, old: AppName, new: AppName, asker: Asker) -> None:
        """Start everything under the new name beside the old, then stop the old; the other way
        round where one task at a time writes to a disk.

        A failure takes each step back: the old name serves as before. ``UserError`` where the new
        name, or its address, is another app's.
        """
        if self.store.apps.find(new):
            raise UserError(f"app {new} exists already", "apps:list shows them all")
        self.traffic.sites.refuse_taken_name(new)
        with self.turns.of_several((old, new), f"rename of {old} to {new}", asker):
            self.store.apps.get(old)
            asker.cancellation.commit()
            app = self.converger.put_back(old, asker.output)  # what runs is found by this name
            host = self.traffic.sites.default_host(old)
            with (
                self.traffic.alone(old),
                self.certificates.leaving(new, [host]),
                self.swaps.of(app, asker.output) as swap,
            ):
                self._start(swap, app, new, asker.output)
                with asker.output.step(f"Stopping the tasks that are still called {old}"):
                    self._hand_over(swap, old, new, asker.output)
            self.processes.scheduler.rename_logs(old, new)

    def _start(self, swap: Swap, app: App, new: AppName, output: Output) -> None:
        """Under the new name, with all that is the app's."""
        old, converger = app.name, self.converger
        with ExitStack() as undo:
            # Under the name that it keeps, whether it has made way or not.
            undo.callback(converger.try_to_converge, old, output, f"; then type:  ps:start {old}")
            self._make_way(swap, app, output)
            # Undone after the name: while the store knows the new one, a watcher may start it.
            undo.callback(converger.forget, new, app.settings.run.stop_grace_seconds)
            self.store.apps.rename(old, new)
            undo.callback(self.store.apps.rename, new, old, remember=False)
            self.refs.rename(old, new)
            undo.callback(self.refs.rename, new, old)
            self.disks.rename(old, new)
            undo.callback(self.disks.rename, new, old)
            self.certificates.show()
            with output.step(f"Starting {old} as {new}"):
                converger.converge(new, output)
            undo.pop_all()

    def _make_way(self, swap: Swap, app: App, output: Output) -> None:
        """Where one task at a time writes to a disk, the old ones go first."""
        plan = self.processes.plan(app)
        old = self.processes.scheduler.tasks(app.name)
        if old and plan.has_one_writer:
            with output.step(f"Holding requests and stopping {places(old)}"):
                swap.make_way(old, Quiet())

    def _hand_over(self, swap: Swap, old: AppName, new: AppName, output: Output) -> None:
        """Retire what still runs under the old name; what runs under the new one serves."""
        processes, traffic, scheduler = self.processes, self.traffic, self.processes.scheduler
        leaving = scheduler.tasks(old)
        with traffic.alone(new):
            plan = processes.plan(self.store.apps.get(new))
            grace_seconds = plan.app.settings.run.stop_grace_seconds
            if swap.held_at:  # requests to the old name, which must be answered
                route = traffic.sites.route(plan.app, plan.version, plan.tasks.keep)
                seconds = plan.app.settings.front.drain_seconds
                traffic.router.switch(renamed(route, old), (), seconds, Quiet())
            traffic.router.rename_requests(old, new)
            traffic.router.remove(old)
            traffic.send(plan.app, plan.version, plan.tasks.keep, output, leaving=leaving)
            scheduler.stop(leaving, grace_seconds)
            scheduler.remove_strays(old)
