"""Gets and renews the certificates that come by themselves, where the settings want them."""

import threading

from pushdeploy.domain.timing import Throughout
from pushdeploy.upkeep.chore import Chore
from pushdeploy.upkeep.parts import Upkeep


def _watch(upkeep: Upkeep, stopping: threading.Event) -> None:
    if upkeep.settings.tls == "auto":
        upkeep.automatic_certificates.watch(stopping)
    else:
        stopping.wait()


CHORE = Chore("automatic certificates", lambda _: Throughout(), _watch)
"""It lasts, for it is woken when an app goes live or a domain is added."""
