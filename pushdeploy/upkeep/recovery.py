"""Work that a killed server has left half-done is undone or ended before anything is served."""

import logging
import threading
from collections.abc import Collection
from contextlib import ExitStack
from dataclasses import dataclass

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.disk import CutOver
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.names import AppName
from pushdeploy.domain.one_off import TIMED_OUT
from pushdeploy.domain.ports.refs import Refs
from pushdeploy.domain.ports.scheduler import Scheduler
from pushdeploy.domain.release import Release, ReleaseStatus
from pushdeploy.flow.turn import Turns
from pushdeploy.locks.traffic import TrafficLocks
from pushdeploy.output import Quiet
from pushdeploy.release.snapshots import SnapshotPhase
from pushdeploy.store import Store
from pushdeploy.upkeep.reconcile import Reconciler

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Finishing:
    """Waits for a release command that has outlived the server which began it."""

    store: Store
    turns: Turns
    traffic: TrafficLocks
    scheduler: Scheduler
    reconciler: Reconciler

    def in_background(self, release: Release) -> None:
        """Return as soon as the app is locked; the rest takes as long as its release command."""
        locked = threading.Event()
        threading.Thread(
            target=self._finish, args=[release, locked], name=f"finish-{release.app}", daemon=True
        ).start()
        locked.wait()

    def _finish(self, release: Release, locked: threading.Event) -> None:
        asker = Asker(release.by, Quiet(), Cancellation())
        what = f"release command of {release.label}"
        with ExitStack() as held:
            held.callback(locked.set)
            held.enter_context(self.turns.to_its_end(release.app, what, asker))
            if release.cut_over is CutOver.EXCLUSIVE:
                # The command has the disks: nobody may put them back, or write to them, under it.
                held.enter_context(self.traffic.hold(release.app))
            locked.set()
            undo(self.store, release, f"the server was stopped {self._end_of(release)}")
            self.reconciler.converge_quietly(release.app)

    def _end_of(self, release: Release) -> str:
        """Wait for it: ``while its release command ended with exit code 0``."""
        app, name = release.app, f"release.{release.version}"
        try:
            with self.store.releases.recorder(app, release.version) as recorder:
                recorder.write("       the server was stopped; all that the command printed:")
                limit = self.store.apps.get(app).settings.deploy.release_timeout_seconds
                code = self.scheduler.finish_once(
                    app, name, limit, lambda text: recorder.write(f"       {text}")
                )
        except PushdeployError as error:
            return f"in its release phase: {error.message}"
        if code == TIMED_OUT:
            return f"while its release command ran into its {limit:g} s limit"
        ended = "did not run" if code is None else f"ended with exit code {code}"
        return f"while its release command {ended}"


@dataclass(frozen=True, slots=True)
class Recovery:
    """The recovery ends or undoes the work of a killed server."""

    store: Store
    refs: Refs
    scheduler: Scheduler
    snapshots: SnapshotPhase
    finishing: Finishing

    def recover(self) -> Collection[AppName]:
        """Undo unfinished releases of a killed server, and move branches that wait for it.

        A release command that still runs is left to end, with its app locked until then. Returns
        the apps whose requests may have been waiting for one.
        """
        self.snapshots.sweep()
        unfinished = self.store.releases.unfinished()
        for release in unfinished:
            if release.status is ReleaseStatus.RELEASING:
                self.finishing.in_background(release)
            else:
                undo(self.store, release, f"the server was stopped while it was {release.status}")
        for release in self.store.releases.refs_pending():
            self._move_branch(release)
        self.scheduler.remove_strays()
        return {each.app for each in unfinished if each.cut_over is CutOver.EXCLUSIVE}

    def _move_branch(self, release: Release) -> None:
        """One repository that cannot take it must not keep the server from starting."""
        try:
            if release.ref is not None:
                self.refs.move(release.app, release.ref, release.ref_old, release.slug.commit)
            self.store.releases.ref_moved(release.app, release.version)
        except PushdeployError as error:
            _log.warning("app=%s its branch stays behind: %s", release.app, error.message)


def undo(store: Store, release: Release, why: str) -> None:
    """Mark the release failed, for what runs to follow."""
    _log.warning("app=%s release=%s %s", release.app, release.label, why)
    store.releases.fail(release.app, release.version, why)
