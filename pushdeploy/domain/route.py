"""A route: the host names of an app and the tasks behind them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from pushdeploy.domain.app import App, AppSettings
from pushdeploy.domain.names import WEB, AppName, HostName
from pushdeploy.domain.task import Task

RouteState = Literal["serving", "stopped", "empty", "held"]


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """An address that nginx can connect to."""

    address: str
    port: int


@dataclass(frozen=True, slots=True)
class RouteSettings:
    """How requests of an app are passed on.

    ``buffers_answers``: taken in whole before a slow visitor reads them, instead of passed on
    piece by piece as they come. ``any_header_names``: also those with underscores and dots.
    """

    body_limit_bytes: int = AppSettings().body_limit_bytes
    read_timeout_seconds: int = AppSettings().read_timeout_seconds
    buffers_answers: bool = False
    any_header_names: bool = False


@dataclass(frozen=True, slots=True)
class Route:
    """``state`` tells the page that is shown where there is no target: stopped or not deployed.

    ``held``: requests wait for the next route instead of being sent to a target.
    """

    app: AppName
    hosts: Sequence[HostName]
    targets: Sequence[Target]
    version: int | None
    settings: RouteSettings
    state: RouteState = "serving"


def default_host(app: AppName, domain: str) -> HostName:
    """The host name that every app has from its first moment."""
    return HostName.parse(f"{app}.{domain}")


def url_of(host: HostName, port: int) -> str:
    """What a person opens: ``http://shop.apps.example.com:8080``."""
    return f"http://{host}" if port == 80 else f"http://{host}:{port}"


def targets_of(tasks: Sequence[Task]) -> Sequence[Target]:
    """Where the web tasks among ``tasks`` listen; those without an address are left out."""
    web = (task for task in tasks if task.slot.process_type == WEB and task.address)
    return sorted({Target(task.address, task.port) for task in web})


def route_of(
    app: App, hosts: Sequence[HostName], version: int | None, tasks: Sequence[Task]
) -> Route:
    """The route of ``app`` when ``tasks`` of release ``version`` serve it."""
    targets = () if app.stopped else targets_of(tasks)
    state: RouteState = "serving" if targets else ("empty" if version is None else "stopped")
    return Route(app.name, hosts, targets, version, route_settings(app.settings), state)


def held(route: Route) -> Route:
    """The same while its requests wait."""
    return replace(route, state="held", targets=())


def route_settings(settings: AppSettings) -> RouteSettings:
    """Those settings of an app that concern its route."""
    return RouteSettings(
        body_limit_bytes=settings.body_limit_bytes,
        read_timeout_seconds=settings.read_timeout_seconds,
        buffers_answers=settings.buffering,
        any_header_names=settings.header_names == "any",
    )
