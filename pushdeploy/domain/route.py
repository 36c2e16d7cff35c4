"""A route is the site of an app with the tasks behind it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pushdeploy.domain.app import App
from pushdeploy.domain.names import WEB, AppName, HostName
from pushdeploy.domain.published import StaticFolder
from pushdeploy.domain.site import Site
from pushdeploy.domain.task import Task


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """An address that nginx can connect to. ``place`` is the task that has it: ``web.1``."""

    address: str
    port: int
    place: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Route:
    """The tasks of release ``version`` listen on ``targets``; there are none where none serves."""

    site: Site
    targets: Sequence[Target]
    version: int | None

    @property
    def app(self) -> AppName:
        return self.site.app

    @property
    def answers(self) -> bool:
        """Tell whether visitors get more than a page of ours."""
        return bool(self.targets) or self.site.is_static

    @property
    def is_held(self) -> bool:
        return self.site.state == "held"


def targets_of(tasks: Sequence[Task]) -> Sequence[Target]:
    """Return where the web tasks among ``tasks`` listen; those without an address are left out."""
    web = (task for task in tasks if task.slot.process_type == WEB and task.address)
    return sorted({Target(task.address, task.port, str(task.slot)) for task in web})


def route_of(
    app: App,
    hosts: Sequence[HostName],
    version: int | None,
    tasks: Sequence[Task],
    static: Sequence[StaticFolder] = (),
    secured: frozenset[HostName] = frozenset(),
) -> Route:
    """The route of ``app`` when ``tasks`` of release ``version`` and its ``static`` folders serve.

    Requests are held until the disks of the app are what its live release left.
    """
    targets = () if app.stopped else targets_of(tasks)
    folders = () if app.stopped else static
    site = Site(
        app.name,
        hosts,
        app.settings.front,
        static=folders,
        rules=app.front,
        secured=secured,
    )
    if not targets and not site.is_static:
        site = replace(site, state="empty" if version is None else "stopped")
    route = Route(site, targets, version)
    return held(route) if app.put_back is not None else route


def held(route: Route) -> Route:
    """The same route while its requests wait: those for files alone never do."""
    if route.site.is_static:
        return route
    return replace(route, site=replace(route.site, state="held"), targets=())


def renamed(route: Route, app: AppName) -> Route:
    """The same route for requests that wait under another name of the app."""
    return replace(route, site=replace(route.site, app=app))
