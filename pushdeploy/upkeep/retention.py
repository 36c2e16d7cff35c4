"""Retention that keeps its word: what runs, what is live and the last releases stay on the machine;
the slugs of the others go, and their releases stay in the ledger as expired."""

import logging
import threading
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from pushdeploy.build.containers import OWNER_LABEL, ROLE_LABEL
from pushdeploy.build.dependency_layers import DEPENDENCIES_LABEL
from pushdeploy.domain.container import ImageInfo
from pushdeploy.domain.errors import Busy
from pushdeploy.domain.names import AppName, ImageDigest
from pushdeploy.domain.ports.engine import Engine
from pushdeploy.domain.release import ReleaseStatus
from pushdeploy.domain.retention import Entry, Rule, StoredImage, Verdict, beyond, verdicts
from pushdeploy.locks.apps import AppLocks
from pushdeploy.locks.pins import Pins
from pushdeploy.publish.trees import Trees
from pushdeploy.store import Store

_log = logging.getLogger(__name__)

_AT_ONCE_SECONDS = 1.0
"""How long deploys may be kept waiting at a time."""

_IN_BACKGROUND_SECONDS = 60.0

_LOOK_BACK = 20
"""How many releases behind the kept ones are looked at after each deploy."""

_MAY_EXPIRE = frozenset({ReleaseStatus.RETIRED, ReleaseStatus.FAILED})


@dataclass(frozen=True, slots=True)
class Retention:
    """``keep`` is how many releases of each app stay, whatever became of them, and ``trees`` are
    their published files.

    ``wait_seconds`` is how long somebody waits for a moment without any deploy.
    """

    store: Store
    locks: AppLocks
    engine: Engine
    keep: int
    trees: Trees
    wait_seconds: float = 10.0
    pins: Pins = field(default_factory=Pins)

    def plan(self) -> Sequence[Verdict]:
        """Return the verdict of ``collect`` on every slug and dependency layer."""
        return self._judge(self._stored({}), self._in_use(), everything=True)

    def collect(self) -> Sequence[Verdict]:
        """Remove what nothing needs: what became of every image. ``Busy`` while one deploys."""
        images, in_use = self._stored({}), self._in_use()
        gone = self._remove(images, in_use, self.wait_seconds, everything=True)
        if gone is None:
            raise Busy(
                "a deploy is going on, and nothing is removed meanwhile", "releases:gc, later"
            )
        self._forget_unused()
        self._forget_published()
        left = [image for image in images if image.id not in {each.image.id for each in gone}]
        return [*map(_kept, self._judge(left, in_use, everything=True)), *gone]

    def collect_behind(self, app: AppName) -> None:
        """Remove, in the background, the images that a new release has pushed out."""
        threading.Thread(target=self._expire, args=[app], name=f"expire-{app}", daemon=True).start()

    # ------------------------------------------------------------- what there is

    def _stored(self, labels: dict[str, str]) -> Sequence[StoredImage]:
        found = self.engine.images({ROLE_LABEL: "", **labels})
        return [stored for stored in map(_stored_image, found) if stored is not None]

    def _in_use(self) -> Collection[ImageDigest]:
        return {container.image for container in self.engine.containers({})}

    def _judge(
        self, images: Sequence[StoredImage], in_use: Collection[ImageDigest], *, everything: bool
    ) -> Sequence[Verdict]:
        of = None if everything else [image.id for image in images]
        entries = self.store.releases.entries(of)
        needed = {*in_use, *self.pins.images()}
        apps = {app.id for app in self.store.apps.list()}
        return verdicts(entries, images, needed, Rule(self.keep, datetime.now(UTC), apps))

    # ------------------------------------------------------------- removing

    def _expire(self, app: AppName) -> None:
        try:
            images = self._behind(app)
            if not images:
                return
            gone = self._remove(images, self._in_use(), _IN_BACKGROUND_SECONDS, everything=False)
            for verdict in gone or []:
                _log.info("app=%s removed %s: %s", app, verdict.image.id[:19], verdict.why)
        except Exception:  # noqa: BLE001 - a thread of its own: the deploy is over and went well
            _log.exception("app=%s what nothing needs any more cannot be removed", app)

    def _behind(self, app: AppName) -> Sequence[StoredImage]:
        """Slugs of the app behind the last ones, with all that stands on the same layers."""
        releases = self.store.releases.list(app, self.keep + _LOOK_BACK)
        entries = [Entry(app, each.version, each.status, each.slug.image) for each in releases]
        found = [self.engine.image(image) for image in beyond(entries, self.keep)]
        stored = [each for each in map(_stored_image, filter(None, found)) if each is not None]
        layers = {image.layer for image in stored if image.layer}
        beside = [other for key in layers for other in self._stored({DEPENDENCIES_LABEL: key})]
        return list({image.id: image for image in [*stored, *beside]}.values())

    def _remove(
        self,
        images: Sequence[StoredImage],
        in_use: Collection[ImageDigest],
        wait_seconds: float,
        *,
        everything: bool,
    ) -> Sequence[Verdict] | None:
        """Judge and remove while nobody deploys, a moment at a time: what went.

        None when there was no such moment. Whoever begins a deploy between two moments is seen
        by the next judgement.
        """
        gone: list[Verdict] = []
        left = list(images)
        while left:
            with self.locks.hold_all(wait_seconds) as alone:
                if not alone:
                    if not gone:
                        return None
                    break
                doomed = [
                    each
                    for each in self._judge(left, in_use, everything=everything)
                    if not each.stays
                ]
                done = self._remove_some(doomed)
                removed = [each for each in done if self.engine.image(each.image.id) is None]
                self._remove_published(removed)
            gone += removed
            tried = {each.image.id for each in done}
            left = [image for image in left if image.id not in tried] if tried else []
        self.store.releases.forget_output([each.image.id for each in gone])
        return gone

    def _remove_published(self, removed: Sequence[Verdict]) -> None:
        """The files that nginx served of these images, unless those of another are the same."""
        for verdict in removed:
            self.trees.forget(verdict.image.id)
        if removed:
            self.trees.sweep()

    def _remove_some(self, doomed: Sequence[Verdict]) -> Sequence[Verdict]:
        done: list[Verdict] = []
        until = time.monotonic() + _AT_ONCE_SECONDS
        for verdict in doomed:
            self._remove_image(verdict.image.id)
            done.append(verdict)
            if time.monotonic() > until:
                break
        return done

    def _remove_image(self, image: ImageDigest) -> None:
        """By our own tags: one that somebody else has tagged as well stays."""
        info = self.engine.image(image)
        if info is None:
            return
        mine = [tag for tag in info.tags if tag.startswith(f"pushdeploy-{self.engine.instance}/")]
        if not info.tags:
            self.engine.remove_image(image)
        for tag in mine:
            self.engine.remove_image(tag)

    def _forget_unused(self) -> None:
        """Rows of slugs that no release has and that are gone: nothing will ever ask for them."""
        for slug in self.store.slugs.unused():
            if self.engine.image(slug.image) is None:
                self.store.slugs.remove(slug.key)

    def _forget_published(self) -> None:
        """Files of images that somebody else has removed, but for those that visitors get."""
        served = {release.slug.image for release in self.store.releases.live().values()}
        for image in self.trees.images():
            if image not in served and self.engine.image(image) is None:
                self.trees.forget(image)
        self.trees.sweep()


def _kept(verdict: Verdict) -> Verdict:
    """Of an image that is still there: somebody else has tagged it, or a deploy came first."""
    if verdict.stays:
        return verdict
    return replace(verdict, stays=True, why="nothing needs it, but it could not be removed now")


def _stored_image(info: ImageInfo) -> StoredImage | None:
    """None for what is neither a slug nor a dependency layer."""
    layer = info.labels.get(DEPENDENCIES_LABEL, "")
    name = info.labels.get(OWNER_LABEL, "")
    owner = int(name) if name.isdecimal() else None
    if info.labels.get(ROLE_LABEL) == "slug":
        return StoredImage(info.id, "slug", layer, owner, info.created_at)
    if info.labels.get(ROLE_LABEL) == "dependencies":
        return StoredImage(info.id, "dependencies", layer, owner, info.created_at)
    return None
