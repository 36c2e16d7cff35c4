"""Looks at the objects of all repositories, after a start, and mends what can be mended."""

from pushdeploy.domain.timing import Once
from pushdeploy.upkeep.chore import Chore

CHORE = Chore(
    "repositories",
    lambda _: Once(),
    lambda upkeep, stopping: upkeep.repositories.look_over(stopping),
)
