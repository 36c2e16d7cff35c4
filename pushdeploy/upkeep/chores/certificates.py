"""Shows visitors the best certificates that there are, with redirects to https where they come."""

from pushdeploy.upkeep.chore import Chore, each_round

CHORE = Chore("certificates", each_round, lambda upkeep, _: upkeep.certificate_changes.keep_up())
