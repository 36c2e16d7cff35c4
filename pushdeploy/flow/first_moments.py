"""The first moments of a live release: whether its processes stay up, and who is told."""

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import Cancelled
from pushdeploy.domain.names import AppName
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.ports.scheduler import Scheduler
from pushdeploy.domain.release import Release
from pushdeploy.domain.task import SlotDeaths
from pushdeploy.output import duration
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class FirstMoments:
    """Made once by the wiring. An app's ``watch_seconds`` count from when its release went live."""

    store: Store
    scheduler: Scheduler

    def note(self, name: AppName) -> None:
        """Write down with the live release that processes of it did not stay up, where so."""
        app, live = self.store.apps.find(name), self.store.releases.current(name)
        if app is None or live is None or live.error:
            return
        ended = self._ended(live, app.settings.deploy.watch_seconds)
        if ended:
            self.store.releases.set_mark(name, live.version, told(live, ended[0]))

    def attend(self, release: Release, output: Output) -> None:
        """Tell of processes that have ended since ``release`` went live.

        The rest of its time is waited for only where there is reason to doubt: one has ended
        already, the version before did not stay up, or the app's ``push_waits`` asks for it.
        """
        app = self.store.apps.get(release.app)
        live = self.store.releases.get(release.app, release.version)
        left = _ends_at(live, app.settings.deploy.watch_seconds) - datetime.now(UTC)
        if left <= timedelta() or app.stopped:
            return
        doubts = self._ended(live, app.settings.deploy.watch_seconds) or self._failed_before(live)
        if not doubts and not app.settings.deploy.push_waits:
            return
        with output.step(f"Watching its processes for {duration(left.total_seconds())}"):
            ended = self._wait(live, left.total_seconds(), app.settings.deploy.watch_seconds)
            for each in ended:
                output.trouble(told(live, each))
            if not ended:
                output.detail("they stay up")
        if ended:
            output.trouble(f"it is live, and started again and again: logs {live.app}")
            output.trouble(f"to go back:  releases:rollback {live.app}")
        self.note(release.app)

    def _wait(self, live: Release, left_seconds: float, watch_seconds: int) -> Sequence[SlotDeaths]:
        """Until one has ended, at once where one has already, or nothing has in all the time."""
        over, fallen = threading.Event(), Cancellation()
        tasks = [t for t in self.scheduler.tasks(live.app) if t.version == live.version]
        with suppress(Cancelled), self.scheduler.watching(tasks, fallen):
            ended = self._ended(live, watch_seconds)
            if ended:
                return ended
            with fallen.stopping(over.set):
                over.wait(left_seconds)
        return self._ended(live, watch_seconds)

    def _ended(self, live: Release, watch_seconds: int) -> Sequence[SlotDeaths]:
        until = _ends_at(live, watch_seconds)
        deaths = self.scheduler.deaths(live.app, live.version)
        return [each for each in deaths if each.first.at <= until]

    def _failed_before(self, live: Release) -> bool:
        before = self.store.releases.find(live.app, live.version - 1)
        return before is not None and before.live_at is not None and bool(before.error)


def told(live: Release, ended: SlotDeaths) -> str:
    """``web.1 ended with exit code 134 (SIGABRT) 2.03s after it went live``."""
    went_live = live.live_at or ended.first.at
    after = max(0.0, (ended.first.at - went_live).total_seconds())
    return f"{ended.slot} ended with {ended.first} {duration(after)} after {live.label} went live"


def _ends_at(live: Release, watch_seconds: int) -> datetime:
    return (live.live_at or live.created_at) + timedelta(seconds=watch_seconds)
