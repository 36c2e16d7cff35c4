"""Makes the reserve of the home again once there is room for it."""

from pushdeploy.upkeep.chore import Chore, each_round

CHORE = Chore("reserve", each_round, lambda upkeep, _: upkeep.reserve.keep())
