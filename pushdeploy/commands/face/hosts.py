"""The host names of apps: which are free, and what a browser is told."""

from collections.abc import Sequence

from pushdeploy.commands.platform import Platform
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import AppName, HostName
from pushdeploy.domain.route import default_host


def free_host(platform: Platform, app: AppName) -> None:
    """``UserError`` when the default host of a new ``app`` is another app's domain."""
    host = default_host(app, platform.settings.domain)
    for owner, hosts in platform.store.domains.all().items():
        if host in hosts:
            raise UserError(
                f"{host} is a domain of {owner} already",
                f"choose another name, or: domains:remove {owner} {host}",
            )


def default_owner(platform: Platform, host: HostName) -> AppName | None:
    """The app whose default host this is."""
    for app in platform.store.apps.list():
        if host == default_host(app.name, platform.settings.domain):
            return app.name
    return None


def urls(platform: Platform, app: AppName) -> Sequence[str]:
    """The default one first; a wildcard is no URL."""
    return urls_of(platform, app, platform.store.domains.of(app))


def urls_of(platform: Platform, app: AppName, domains: Sequence[HostName]) -> Sequence[str]:
    """The same where the ``domains`` are known."""
    port = platform.settings.http.port
    suffix = "" if port == 80 else f":{port}"
    hosts = [default_host(app, platform.settings.domain), *domains]
    return [f"http://{host}{suffix}" for host in hosts if not host.startswith("*")]
