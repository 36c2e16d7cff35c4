"""A site: the front of an app, whatever runs behind it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pushdeploy.domain.app import AppSettings
from pushdeploy.domain.names import AppName, HostName

SiteState = Literal["serving", "stopped", "empty", "held"]


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
class Site:
    """Everything that visitors of an app meet before a task does, a field for each concern.

    ``hosts`` begin with the default one. ``state`` names the page that is shown where no task
    serves: ``stopped``, or ``empty`` before the first release; ``held``: requests wait for the
    next route instead.
    """

    app: AppName
    hosts: Sequence[HostName]
    settings: RouteSettings
    state: SiteState = "serving"


def default_host(app: AppName, domain: str) -> HostName:
    """The host name that every app has from its first moment."""
    return HostName.parse(f"{app}.{domain}")


def url_of(host: HostName, port: int) -> str:
    """The address that a person opens: ``http://shop.apps.example.com:8080``."""
    return f"http://{host}" if port == 80 else f"http://{host}:{port}"


def route_settings(settings: AppSettings) -> RouteSettings:
    """Those settings of an app that concern its route."""
    return RouteSettings(
        body_limit_bytes=settings.body_limit_bytes,
        read_timeout_seconds=settings.read_timeout_seconds,
        buffers_answers=settings.buffering,
        any_header_names=settings.header_names == "any",
    )
