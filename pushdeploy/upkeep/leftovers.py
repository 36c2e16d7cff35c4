"""Leftovers of builds and destroyed apps go: at the start, each hour, by releases:gc."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pushdeploy.build.caches import AppCaches
from pushdeploy.domain.app import FIRST_UID
from pushdeploy.domain.errors import Busy, PushdeployError
from pushdeploy.domain.leftovers import Bound, Window, doomed_images, doomed_records
from pushdeploy.domain.ports.engine import Engine
from pushdeploy.locks.apps import AppLocks
from pushdeploy.store import Store
from pushdeploy.upkeep.retention import Retention

_log = logging.getLogger(__name__)

MOST_DOWNLOADS_BYTES = 2 * 1024**3
"""Of one app; beyond it the next build downloads anew."""

MOST_BUILDKIT_BYTES = 10 * 1024**3
_DOWNLOADS_UNUSED = timedelta(days=30)
_ALONE_SECONDS = 1.0

_SLUGS = "slugs and dependency layers"
_BUILDS = "what Dockerfile builds have left"
_DESTROYED = "what destroyed apps have left"


@dataclass(frozen=True, slots=True)
class Leftovers:
    """``began`` is when this server did: what was being built before is not any more."""

    store: Store
    locks: AppLocks
    engine: Engine
    caches: AppCaches
    retention: Retention
    began: datetime = field(default_factory=lambda: datetime.now(UTC))

    def after_destroy(self, app_id: int) -> None:
        """Remove leftovers in the background, for it may have to wait until nobody deploys."""

        def forget() -> None:
            self._remove_network(app_id)
            self.remove()

        threading.Thread(target=forget, name=f"forget-{app_id}", daemon=True).start()

    def begin(self) -> str:
        """Remove leftovers at the start, when apps want the machine for themselves.

        Does not raise.

        Docker counts all that it has before it tells what builds have left: it is asked only where
        a build was cut short or an app was destroyed; else the first hour asks.
        """
        return self._do(
            {
                _SLUGS: self.retention.collect,
                _BUILDS: self.remove_of_cut_short,
                _DESTROYED: self.remove_of_destroyed,
            }
        )

    def remove(self) -> str:
        """Everything that is due, each kind whatever becomes of the others. Does not raise."""
        collected = self._do({_SLUGS: self.retention.collect})
        return "; ".join(filter(None, [collected, self.remove_beside_slugs()]))

    def remove_beside_slugs(self) -> str:
        """For who has had those collected already. Does not raise."""
        return self._do(
            {
                _BUILDS: self.remove_of_builds,
                "downloads": self.trim_downloads,
                _DESTROYED: self.remove_of_destroyed,
            }
        )

    def _do(self, chores: Mapping[str, Callable[[], object]]) -> str:
        """Do each and log what fails; return it in words as well."""
        failed = []
        for what, chore in chores.items():
            try:
                chore()
            except Busy:
                _log.info("%s: later, for a deploy is going on", what)
            except PushdeployError as error:
                _log.warning("%s: %s", what, error.message)
                failed.append(f"{what}: {error.message}")
            except Exception:  # noqa: BLE001 - the others are due all the same
                _log.exception("%s cannot be removed", what)
                failed.append(f"{what} cannot be removed")
        return "; ".join(failed)

    def remove_of_cut_short(self) -> None:
        """The same as ``remove_of_builds`` where a killed server or a destroyed app left some."""
        known = {app.id for app in self.store.apps.list()}
        ids = self.caches.app_ids()
        cut_short = [each for each in ids if self.caches.was_cut_short(each, self.began)]
        if not cut_short and known.issuperset(ids):
            return
        self.remove_of_builds()
        for app_id in cut_short:
            with self.locks.hold_all(_ALONE_SECONDS) as alone:
                if alone:
                    self.caches.settle(app_id, self.began)

    def remove_of_builds(self) -> None:
        """BuildKit's cache beyond its bounds, and nameless images of the classic builder."""
        known = {app.id for app in self.store.apps.list()}
        ids = self.caches.app_ids()
        kept = self._windows([each for each in ids if each in known])
        gone = self._windows([each for each in ids if each not in known])
        if not kept and not gone:
            return
        bound = Bound(kept, gone, MOST_BUILDKIT_BYTES, datetime.now(UTC))
        self.engine.forget_records(doomed_records(self.engine.build_records(), bound))
        # The last step's image of a build has nothing above it: its parents are seen next time.
        for image in doomed_images(self.engine.nameless_images(), [*kept, *gone]):
            self.engine.remove_image(image)

    def trim_downloads(self) -> None:
        """Too many, or of an app that has not been built for a month; never during a deploy."""
        oldest = datetime.now(UTC) - _DOWNLOADS_UNUSED
        for app_id in self.caches.app_ids():
            if not self.caches.wants_trimming(app_id, MOST_DOWNLOADS_BYTES, oldest):
                continue
            with self.locks.hold_all(_ALONE_SECONDS) as alone:
                if alone:
                    self.caches.remove_downloads(app_id)

    def remove_of_destroyed(self) -> None:
        """After what their builds left in the engine, for the times of those are written there."""
        known = {app.id for app in self.store.apps.list()}
        for app_id in self.caches.app_ids():
            if app_id not in known:
                self._remove_network(app_id)
                self.caches.remove(app_id)

    def _remove_network(self, app_id: int) -> None:
        """One that is still in use stays."""
        try:
            self.engine.remove_network(str(FIRST_UID + app_id))
        except PushdeployError as error:
            _log.warning("the network of a destroyed app stays: %s", error.message)

    def _windows(self, app_ids: Sequence[int]) -> Sequence[Window]:
        return [window for each in app_ids for window in self.caches.windows(each, self.began)]
