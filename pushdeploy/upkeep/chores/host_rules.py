"""Puts rules back that close this host to containers, should somebody have removed them."""

from pushdeploy.upkeep.chore import Chore, each_round

CHORE = Chore("host rules", each_round, lambda upkeep, _: upkeep.closed_host.renew())
