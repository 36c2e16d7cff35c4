"""The settings of a server name the router that stands in front of its apps."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from pushdeploy.discover import chosen
from pushdeploy.domain.ports.router import Router
from pushdeploy.instance import Home
from pushdeploy.route import routers
from pushdeploy.settings import Settings


@dataclass(frozen=True, slots=True)
class RouterGround:
    """Every router is made of this: it is the one argument of each ``ROUTER``."""

    home: Home
    settings: Settings


MakeRouter = Callable[[RouterGround], Router]


def choose_router(ground: RouterGround) -> Router:
    """Make the router that PUSHDEPLOY_ROUTER names; ``UserError`` where there is none."""
    make = chosen(routers, "ROUTER", "PUSHDEPLOY_ROUTER", ground.settings.router)
    return cast("MakeRouter", make)(ground)
