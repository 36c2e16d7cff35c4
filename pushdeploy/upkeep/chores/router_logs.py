"""Keeps the proxy's own logs from filling the file system."""

from pushdeploy.upkeep.chore import Chore, each_round

CHORE = Chore("router logs", each_round, lambda upkeep, _: upkeep.router.rotate_logs())
