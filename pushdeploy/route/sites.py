"""``Sites`` knows the host names, the addresses and the routes of all apps; nothing else does."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from pushdeploy.domain.app import App
from pushdeploy.domain.certificate import best_for
from pushdeploy.domain.hosts import refuse_host, refuse_taken_name
from pushdeploy.domain.names import AppName, HostName
from pushdeploy.domain.ports.static_folders import NoStaticFolders, StaticFolders
from pushdeploy.domain.route import Route, route_of
from pushdeploy.domain.site import default_host, url_of
from pushdeploy.domain.task import Task
from pushdeploy.hostnames import PublicSuffixes
from pushdeploy.store.apps import Apps
from pushdeploy.store.certificates import Certificates
from pushdeploy.store.domains import Domains


@dataclass(frozen=True, slots=True)
class Sites:
    """``domain`` is the server's own, below which each app has its default host; ``folders`` are
    served without a task.

    ``certificates`` are looked at where https is served, on ``https_port``.
    """

    apps: Apps
    domains: Domains
    domain: str
    http_port: int
    folders: StaticFolders = field(default_factory=NoStaticFolders)
    certificates: Certificates | None = None
    https_port: int = 0

    def default_host(self, app: AppName) -> HostName:
        return default_host(app, self.domain)

    def hosts(self, app: AppName) -> Sequence[HostName]:
        """The default host first, then those that people gave the app."""
        return [self.default_host(app), *self.domains.of(app)]

    def url(self, app: AppName) -> str:
        """The address of the default host."""
        return self._urls(app, [self.default_host(app)])[0]

    def urls(self, app: AppName) -> Sequence[str]:
        """The addresses of all hosts; a wildcard has none."""
        return self._urls(app, [host for host in self.hosts(app) if not host.startswith("*")])

    def secured(self, app: AppName, hosts: Sequence[HostName]) -> frozenset[HostName]:
        """Return those of ``hosts`` that visitors may be sent to by https: no browser warns."""
        if self.certificates is None:
            return frozenset()
        found, now = self.certificates.near(app, hosts), datetime.now(UTC)
        best = {host: best_for(app, host, found, now) for host in hosts}
        return frozenset(host for host, each in best.items() if each and each.may_be_trusted(now))

    def route(self, app: App, version: int | None, tasks: Sequence[Task]) -> Route:
        """The route of ``app`` when ``tasks`` of release ``version`` serve it.

        Its hosts, settings and rules are those of now: a release that takes an hour brings an app
        of an hour ago.
        """
        now = self.apps.find(app.name) or app
        settings = replace(app.settings, front=now.settings.front)
        app = replace(app, settings=settings, front=now.front)
        static, hosts = self.folders.of(app, version), self.hosts(app.name)
        return route_of(app, hosts, version, tasks, static, self.secured(app.name, hosts))

    def refuse_taken_name(self, app: AppName) -> None:
        """Raise ``UserError`` when the default host of a new ``app`` is another app's domain."""
        refuse_taken_name(app, self.domain, self.domains.all())

    def new_hosts(self, app: AppName, wanted: Sequence[HostName]) -> Sequence[HostName]:
        """Choose those of ``wanted`` that the app does not answer on yet, each once.

        ``UserError`` where one of them is not for it.
        """
        own, suffixes = self.hosts(app), PublicSuffixes()
        found = [host for host in dict.fromkeys(wanted) if host not in own]
        for host in found:
            refuse_host(app, host, self.domain, suffixes.has)
        return found

    def _urls(self, app: AppName, hosts: Sequence[HostName]) -> Sequence[str]:
        by_https = self.secured(app, hosts)
        return [
            url_of(host, self.https_port, https=True)
            if host in by_https
            else url_of(host, self.http_port)
            for host in hosts
        ]
