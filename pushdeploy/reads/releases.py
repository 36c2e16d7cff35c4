"""Tells of the releases of an app: the ledger, and what one of them brought."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from pushdeploy.domain.errors import BackendDown, UserError
from pushdeploy.domain.names import AppName
from pushdeploy.domain.ports.engine import Engine
from pushdeploy.domain.rehearsal import NameChanges, name_changes
from pushdeploy.domain.release import Release, ReleaseStatus
from pushdeploy.store import Store

_MAY_EXPIRE = frozenset({ReleaseStatus.RETIRED, ReleaseStatus.FAILED})


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """A release: whether it is the live one, and whether its slug is gone from this machine."""

    release: Release
    current: bool
    expired: bool


@dataclass(frozen=True, slots=True)
class ReleaseDetails:
    """``config`` is how its config vars differ from those of the release that was live before.

    ``steps`` are (title, seconds) in the order in which they ended.
    """

    entry: LedgerEntry
    config: NameChanges
    steps: Sequence[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class ReleaseReader:
    """The reader tells of the releases of an app."""

    store: Store
    engine: Engine

    def ledger(self, app: AppName, limit: int) -> Sequence[LedgerEntry]:
        """The last releases of an app, newest first."""
        return self._entries(app, self.store.releases.list(app, limit))

    def entry(self, app: AppName, version: int | None) -> LedgerEntry:
        """Return one release, the last one without ``version``.

        ``UserError`` when there is none.
        """
        return self._entries(app, [self._one(app, version)])[0]

    def details(self, app: AppName, version: int | None) -> ReleaseDetails:
        entry = self.entry(app, version)
        release = entry.release
        former = self.live_before(release)
        config = name_changes(
            _sorted(former.whole_config if former else {}), _sorted(release.whole_config)
        )
        return ReleaseDetails(entry, config, self.store.releases.steps(app, release.version))

    def output(self, release: Release) -> Sequence[str]:
        """Return the lines that were printed while it was made, as far as they are kept."""
        return self.store.releases.output(release.app, release.version)

    def live_before(self, release: Release) -> Release | None:
        """The release that was live before this one."""
        for version in range(release.version - 1, 0, -1):
            found = self.store.releases.find(release.app, version)
            if found is not None and found.status.went_live:
                return found
        return None

    def expired(self, releases: Sequence[Release]) -> frozenset[int]:
        """Versions of those whose slug is gone; none while the engine does not answer."""
        with suppress(BackendDown):
            images = {each.slug.image for each in releases if each.status in _MAY_EXPIRE}
            gone = {image for image in images if self.engine.image(image) is None}
            return frozenset(
                each.version
                for each in releases
                if each.status in _MAY_EXPIRE and each.slug.image in gone
            )
        return frozenset()

    def _entries(self, app: AppName, releases: Sequence[Release]) -> Sequence[LedgerEntry]:
        live = self.store.releases.current(app)
        expired = self.expired(releases)
        return [
            LedgerEntry(
                release,
                current=live is not None and live.version == release.version,
                expired=release.version in expired,
            )
            for release in releases
        ]

    def _one(self, app: AppName, version: int | None) -> Release:
        if version is not None:
            return self.store.releases.get(app, version)
        latest = self.store.releases.latest(app)
        if latest is None:
            raise UserError(f"{app} has no releases yet", "git push deploy main makes the first")
        return latest


def _sorted(config: Mapping[str, str]) -> Mapping[str, str]:
    return dict(sorted(config.items()))
