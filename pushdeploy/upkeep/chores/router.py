"""Starts the proxy again whenever it ends by itself."""

from pushdeploy.domain.timing import Throughout
from pushdeploy.upkeep.chore import Chore

CHORE = Chore(
    "router",
    lambda _: Throughout(),
    lambda upkeep, stopping: upkeep.router.watch(stopping.is_set),
)
