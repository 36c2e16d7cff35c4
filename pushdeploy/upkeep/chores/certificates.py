"""Shows visitors the best certificates that there are: one may have ended, or begun."""

from pushdeploy.upkeep.chore import Chore, each_round

CHORE = Chore("certificates", each_round, lambda upkeep, _: upkeep.certificates.show())
