"""A route: the host names of an app and the tasks behind them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pushdeploy.domain.names import AppName, HostName

RouteState = Literal["serving", "stopped", "empty"]


@dataclass(frozen=True, slots=True, order=True)
class Target:
    """An address that nginx can connect to."""

    address: str
    port: int


@dataclass(frozen=True, slots=True)
class Route:
    """``state`` tells the page that is shown where there is no target: stopped or not deployed."""

    app: AppName
    hosts: Sequence[HostName]
    targets: Sequence[Target]
    version: int | None
    body_limit_bytes: int
    state: RouteState = "serving"
