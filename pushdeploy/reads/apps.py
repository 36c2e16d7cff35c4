"""Tells what apps there are, what is live of each, and what is going on with one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from pushdeploy.domain.app import App
from pushdeploy.domain.config import staged_keys
from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.formation import formation_of
from pushdeploy.domain.names import AppName, HostName, ProcessType
from pushdeploy.domain.release import Release
from pushdeploy.locks.apps import AppLocks, Purpose
from pushdeploy.locks.traffic import TrafficLocks
from pushdeploy.reads.certificates import CertificateReader
from pushdeploy.route.sites import Sites
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class AppOverview:
    """An app, its live release if any, and its default URL."""

    app: App
    live: Release | None
    url: str

    @property
    def state(self) -> str:
        """``stopped``, ``live``, or ``empty`` before the first release."""
        return "stopped" if self.app.stopped else "live" if self.live else "empty"


@dataclass(frozen=True, slots=True)
class AppDetails:
    """The details are all that is known of one app.

    ``config_staged`` names the vars that wait for the next release; ``doing`` is the purpose of
    whoever holds the app's lock; ``held_since`` is since when its requests are held;
    ``certificates`` has a warning for each that ends soon.
    """

    overview: AppOverview
    domains: Sequence[HostName]
    urls: Sequence[str]
    quantities: Mapping[ProcessType, int]
    disks: Sequence[Attachment]
    config_keys: Sequence[str]
    config_staged: Sequence[str]
    doing: Purpose | None
    held_since: datetime | None
    certificates: Sequence[str]


@dataclass(frozen=True, slots=True)
class AppReader:
    """The reader tells which apps there are, and of each which release is live."""

    store: Store
    locks: AppLocks
    traffic: TrafficLocks
    sites: Sites
    certificates: CertificateReader

    def all(self) -> Sequence[AppOverview]:
        """Return all apps in the order of their names."""
        live = self.store.releases.live()
        return [self._overview(app, live.get(app.name)) for app in self.store.apps.list()]

    def details(self, app: App) -> AppDetails:
        store, name = self.store, app.name
        live = store.releases.current(name)
        holder = self.locks.holder(name)
        return AppDetails(
            overview=self._overview(app, live),
            domains=store.domains.of(name),
            urls=self.sites.urls(name),
            quantities=formation_of(app, live) if live else {},
            disks=store.disks.of(name),
            config_keys=sorted(store.config.get(name)),
            config_staged=self.staged(name),
            doing=holder[0] if holder else None,
            held_since=self.traffic.waiting_since(name),
            certificates=self.certificates.warnings(name),
        )

    def staged(self, app: AppName) -> Sequence[str]:
        """Names of config vars that the live release does not have as the next one would."""
        live = self.store.releases.current(app)
        return staged_keys(live, self.store.config.whole(app))

    def _overview(self, app: App, live: Release | None) -> AppOverview:
        return AppOverview(app, live, self.sites.url(app.name))
