"""Removes what builds and destroyed apps have left."""

from pushdeploy.domain.timing import Every
from pushdeploy.upkeep.chore import Chore

CHORE = Chore("leftovers", lambda _: Every(3600), lambda upkeep, _: upkeep.leftovers.remove())
