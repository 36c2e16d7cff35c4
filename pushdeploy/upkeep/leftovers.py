"""Leftovers of builds and destroyed apps go: at the start, each hour, by releases:gc."""

import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from pushdeploy.build.caches import AppCaches
from pushdeploy.domain.app import FIRST_UID
from pushdeploy.domain.errors import Busy, PushdeployError
from pushdeploy.domain.leftovers import Bound, Window, doomed_images, doomed_records
from pushdeploy.domain.ports.engine import Engine
from pushdeploy.domain.timing import retry_seconds
from pushdeploy.locks.apps import AppLocks
from pushdeploy.store import Store
from pushdeploy.upkeep.retention import Retention

_log = logging.getLogger(__name__)

MOST_DOWNLOADS_BYTES = 2 * 1024**3
"""Of one app; beyond it the next build downloads anew."""

MOST_BUILDKIT_BYTES = 10 * 1024**3
_DOWNLOADS_UNUSED = timedelta(days=30)
_ALONE_SECONDS = 1.0
_PAUSES_SECONDS = [retry_seconds(tries) for tries in range(1, 12)]
"""Between tries to remove what a destroyed app has left: over half an hour in all."""

_SLUGS = "slugs and dependency layers"
_BUILDS = "what Dockerfile builds and destroyed apps have left"
_DOWNLOADS = "downloads"


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
        threading.Thread(
            target=self._remove_soon, args=[app_id], name=f"forget-{app_id}", daemon=True
        ).start()

    def begin(self) -> str:
        """Remove leftovers at the start, when apps want the machine for themselves.

        Returns what failed, in words, as ``remove`` does.

        Docker counts all that it has before it tells what builds have left: it is asked only where
        a build was cut short or an app was destroyed; else the first hour asks.
        """
        return self._do({_SLUGS: self.retention.collect, _BUILDS: self.remove_of_cut_short})

    def remove(self) -> str:
        """Everything that is due, each kind whatever becomes of the others: what failed.

        ``Busy`` where nothing failed and something has to wait for a deploy; the rest is done.
        """
        return self._do({_SLUGS: self.retention.collect, **self._beside_slugs()})

    def remove_beside_slugs(self) -> str:
        """The same for who has had slugs collected already."""
        return self._do(self._beside_slugs())

    def _beside_slugs(self) -> Mapping[str, Callable[[], object]]:
        return {_DOWNLOADS: self.trim_downloads, _BUILDS: self.remove_of_builds}

    def _do(self, chores: Mapping[str, Callable[[], object]]) -> str:
        """Do each and log what fails; return it in words as well."""
        failed, waiting = [], []
        for what, chore in chores.items():
            try:
                chore()
            except Busy as error:
                waiting.append(f"{what}: {error.message}")
            except PushdeployError as error:
                _log.warning("%s: %s", what, error.message)
                failed.append(f"{what}: {error.message}")
            except Exception:  # noqa: BLE001 - the others are due all the same
                _log.exception("%s cannot be removed", what)
                failed.append(f"{what} cannot be removed")
        if waiting and not failed:
            raise Busy("; ".join(waiting), "releases:gc, later")
        return "; ".join(failed)

    def _remove_soon(self, app_id: int) -> None:
        """Try until all is gone, or until that may be left to the chore of each hour."""
        with suppress(OSError):  # the home is full: whoever destroys an app may be making room
            self.caches.remember(app_id)
        for pause in _PAUSES_SECONDS:
            try:
                if not self.remove():
                    return
            except Busy as error:
                _log.info("app id %d is destroyed: later: %s", app_id, error.message)
            time.sleep(pause)

    def remove_of_cut_short(self) -> None:
        """The same as ``remove_of_builds`` where a killed server or a destroyed app left some."""
        cut_short = [each for each in self.caches.app_ids() if self._was_cut_short(each)]
        if not cut_short and not self._destroyed():
            return
        self.remove_of_builds()
        for app_id in cut_short:
            with self._alone():
                self.caches.settle(app_id, self.began)

    def remove_of_builds(self) -> None:
        """Remove what builds left in the engine, and then all else of destroyed apps.

        The times of their builds are written there: it stays while the engine cannot be asked.
        """
        destroyed = self._destroyed()
        self._remove_from_engine(destroyed)
        staying = [trouble for app_id in destroyed if (trouble := self._forget(app_id))]
        if staying:
            raise PushdeployError("; ".join(staying))

    def _forget(self, app_id: int) -> str:
        """Forget a destroyed app, unless its network stays: why, where something is still on it."""
        try:
            self.engine.remove_network(str(FIRST_UID + app_id))
        except PushdeployError as error:
            return error.message
        self.caches.remove(app_id)
        return ""

    def _remove_from_engine(self, destroyed: Collection[int]) -> None:
        """BuildKit's cache beyond its bounds, and nameless images of the classic builder."""
        kept = self._windows([each for each in self.caches.app_ids() if each not in destroyed])
        gone = self._windows(destroyed)
        if not kept and not gone:
            return
        bound = Bound(kept, gone, MOST_BUILDKIT_BYTES, datetime.now(UTC))
        self.engine.forget_records(doomed_records(self.engine.build_records(), bound))
        # The last step's image of a build has nothing above it: its parents are seen next time.
        for image in doomed_images(self.engine.nameless_images(), [*kept, *gone]):
            self.engine.remove_image(image)

    def trim_downloads(self) -> None:
        """Too many, or of an app that has not been built for a month; never during a deploy."""
        destroyed = self._destroyed()
        oldest = datetime.now(UTC) - _DOWNLOADS_UNUSED
        for app_id in self.caches.app_ids():
            if app_id in destroyed:
                self.caches.remove_downloads(app_id)
            elif self.caches.wants_trimming(app_id, MOST_DOWNLOADS_BYTES, oldest):
                with self._alone():
                    self.caches.remove_downloads(app_id)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """While inside, nobody deploys. ``Busy`` where there was no such moment."""
        with self.locks.hold_all(_ALONE_SECONDS) as alone:
            if not alone:
                raise Busy("a deploy is going on", "releases:gc, later")
            yield

    def _destroyed(self) -> Collection[int]:
        """The ids of apps that are gone and have left something."""
        return {*self.caches.app_ids()} - {app.id for app in self.store.apps.list()}

    def _was_cut_short(self, app_id: int) -> bool:
        return self.caches.was_cut_short(app_id, self.began)

    def _windows(self, app_ids: Collection[int]) -> Sequence[Window]:
        return [window for each in app_ids for window in self.caches.windows(each, self.began)]
