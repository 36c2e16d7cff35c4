"""A site is the front of an app, whatever runs behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pushdeploy.domain.front.rules import FrontRules
from pushdeploy.domain.names import AppName, HostName
from pushdeploy.domain.published import StaticFolder
from pushdeploy.domain.settings.front import FrontSettings

SiteState = Literal["serving", "stopped", "empty", "held"]


@dataclass(frozen=True, slots=True)
class Site:
    """Everything that visitors of an app meet before a task does, a field for each concern.

    ``hosts`` begin with the default one. ``state`` names the page that is shown where no task
    serves: ``stopped``, or ``empty`` before the first release; ``held``: requests wait for the
    next route instead. ``static`` are folders whose files are served before any task is asked; one
    at ``/`` needs no task at all. ``secured`` are the hosts with a certificate that browsers may
    trust.
    """

    app: AppName
    hosts: Sequence[HostName]
    settings: FrontSettings
    state: SiteState = "serving"
    static: Sequence[StaticFolder] = ()
    rules: FrontRules = field(default_factory=FrontRules, repr=False)
    secured: frozenset[HostName] = frozenset()

    @property
    def is_static(self) -> bool:
        """Tell whether every address of the site is one of files."""
        return any(folder.at == "/" for folder in self.static)


def default_host(app: AppName, domain: str) -> HostName:
    """The host name that every app has from its first moment."""
    return HostName.parse(f"{app}.{domain}")


def all_hosts(
    apps: Sequence[AppName], given: Mapping[AppName, Sequence[HostName]], domain: str
) -> Mapping[AppName, Sequence[HostName]]:
    """Return the hosts of each app: the default one first, then those that it was ``given``."""
    return {app: [default_host(app, domain), *given.get(app, ())] for app in apps}


def url_of(host: HostName, port: int, *, https: bool = False) -> str:
    """The address that a person opens: ``http://shop.apps.example.com:8080``."""
    scheme, usual = ("https", 443) if https else ("http", 80)
    return f"{scheme}://{host}" if port == usual else f"{scheme}://{host}:{port}"
