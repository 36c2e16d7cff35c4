"""Lets what runs follow the ledger: all apps at the start, then whatever changes by itself."""

from pushdeploy.domain.timing import Throughout
from pushdeploy.upkeep.chore import Chore

CHORE = Chore(
    "reconcile",
    lambda _: Throughout(),
    lambda upkeep, stopping: upkeep.reconciler.watch(stopping),
)
