"""A site is the front of an app, whatever runs behind it."""

from collections.abc import Sequence
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
    at ``/`` needs no task at all.
    """

    app: AppName
    hosts: Sequence[HostName]
    settings: FrontSettings
    state: SiteState = "serving"
    static: Sequence[StaticFolder] = ()
    rules: FrontRules = field(default_factory=FrontRules, repr=False)

    @property
    def is_static(self) -> bool:
        """Tell whether every address of the site is one of files."""
        return any(folder.at == "/" for folder in self.static)


def default_host(app: AppName, domain: str) -> HostName:
    """The host name that every app has from its first moment."""
    return HostName.parse(f"{app}.{domain}")


def url_of(host: HostName, port: int) -> str:
    """The address that a person opens: ``http://shop.apps.example.com:8080``."""
    return f"http://{host}" if port == 80 else f"http://{host}:{port}"
