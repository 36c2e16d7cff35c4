"""The host names of apps: which are free, and what a browser is told."""

from collections.abc import Sequence

from pushdeploy.commands.platform import Platform
from pushdeploy.domain.hosts import refuse_host, refuse_taken_name
from pushdeploy.domain.names import AppName, HostName
from pushdeploy.domain.route import default_host, url_of
from pushdeploy.hostnames import PublicSuffixes


def free_host(platform: Platform, app: AppName) -> None:
    """``UserError`` when the default host of a new ``app`` is another app's domain."""
    refuse_taken_name(app, platform.settings.domain, platform.store.domains.all())


def new_hosts(platform: Platform, app: AppName, hosts: Sequence[HostName]) -> Sequence[HostName]:
    """Those of ``hosts`` that the app does not answer on yet, each once.

    ``UserError`` where one of them is not for it.
    """
    own = {default_host(app, platform.settings.domain), *platform.store.domains.of(app)}
    found = [host for host in dict.fromkeys(hosts) if host not in own]
    suffixes = PublicSuffixes()
    for host in found:
        refuse_host(app, host, platform.settings.domain, suffixes.has)
    return found


def urls(platform: Platform, app: AppName) -> Sequence[str]:
    """The default one first; a wildcard is no URL."""
    return urls_of(platform, app, platform.store.domains.of(app))


def urls_of(platform: Platform, app: AppName, domains: Sequence[HostName]) -> Sequence[str]:
    """The same where the ``domains`` are known."""
    hosts = [default_host(app, platform.settings.domain), *domains]
    port = platform.settings.http.port
    return [url_of(host, port) for host in hosts if not host.startswith("*")]
