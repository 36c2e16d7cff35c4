"""Removes, after a start, what a server left that was killed while it built or destroyed."""

from pushdeploy.domain.timing import Once
from pushdeploy.upkeep.chore import Chore

CHORE = Chore("leftovers of a kill", lambda _: Once(), lambda upkeep, _: upkeep.leftovers.begin())
