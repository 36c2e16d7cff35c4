"""What a killed server has left half-done: undone, or ended, before anything is served again."""

import logging
import threading
from collections.abc import Callable, Collection
from contextlib import ExitStack

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.disk import CutOver
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.names import AppName
from pushdeploy.domain.one_off import TIMED_OUT
from pushdeploy.domain.release import Release, ReleaseStatus
from pushdeploy.flow.outlook import Running
from pushdeploy.locks.apps import Purpose
from pushdeploy.output import Quiet

_log = logging.getLogger(__name__)


class Recovery:
    def __init__(self, running: Running, converge: Callable[[AppName], object]) -> None:
        """``converge`` makes what runs of an app follow the ledger, and raises nothing."""
        self._running = running
        self._store = running.store
        self._converge = converge

    def recover(self) -> Collection[AppName]:
        """What a killed server left: undo unfinished releases, move branches that wait for it.

        A release command that still runs is left to end, with its app locked until then. Returns
        the apps whose requests may have been waiting for one.
        """
        self._running.snapshots.sweep()
        unfinished = self._store.releases.unfinished()
        for release in unfinished:
            if release.status is ReleaseStatus.RELEASING:
                self._finish_in_background(release)
            else:
                self._undo(release, f"the server was stopped while it was {release.status}")
        for release in self._store.releases.refs_pending():
            self._move_branch(release)
        self._running.scheduler.remove_strays()
        return {each.app for each in unfinished if each.cut_over is CutOver.EXCLUSIVE}

    def _move_branch(self, release: Release) -> None:
        """One repository that cannot take it must not keep the server from starting."""
        try:
            if release.ref is not None:
                self._running.refs.move(
                    release.app, release.ref, release.ref_old, release.slug.commit
                )
            self._store.releases.ref_moved(release.app, release.version)
        except PushdeployError as error:
            _log.warning("app=%s its branch stays behind: %s", release.app, error.message)

    def _undo(self, release: Release, why: str) -> None:
        _log.warning("app=%s release=%s %s", release.app, release.label, why)
        self._store.releases.fail(release.app, release.version, why)

    def _finish_in_background(self, release: Release) -> None:
        """Return as soon as the app is locked; the rest takes as long as its release command."""
        locked = threading.Event()
        threading.Thread(
            target=self._finish, args=[release, locked], name=f"finish-{release.app}", daemon=True
        ).start()
        locked.wait()

    def _finish(self, release: Release, locked: threading.Event) -> None:
        purpose = Purpose(f"release command of {release.label}", release.by)
        name = f"release.{release.version}"
        cancellation = Cancellation()
        with ExitStack() as held:
            held.enter_context(
                self._running.locks.hold(release.app, purpose, Quiet(), cancellation)
            )
            if release.cut_over is CutOver.EXCLUSIVE:
                # The command has the disks: nobody may put them back, or write to them, under it.
                held.enter_context(self._running.traffic.hold(release.app))
            cancellation.commit()
            locked.set()
            try:
                with self._store.releases.recorder(release.app, release.version) as recorder:
                    recorder.write("       the server was stopped; all that the command printed:")
                    settings = self._store.apps.get(release.app).settings
                    limit = settings.deploy.release_timeout_seconds
                    code = self._running.scheduler.finish_once(
                        release.app, name, limit, lambda text: recorder.write(f"       {text}")
                    )
                ended = "did not run" if code is None else f"ended with exit code {code}"
                if code == TIMED_OUT:
                    ended = f"ran into its {limit:g} s limit"
                self._undo(release, f"the server was stopped while its release command {ended}")
            except PushdeployError as error:
                self._undo(release, f"the server was stopped in its release phase: {error.message}")
            self._converge(release.app)
