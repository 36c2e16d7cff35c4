"""Starts what has written too much beside its disks anew."""

from pushdeploy.upkeep.chore import Chore, each_round

CHORE = Chore("written layers", each_round, lambda upkeep, _: upkeep.written_layers.bound())
