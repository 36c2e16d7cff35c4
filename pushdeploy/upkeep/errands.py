"""Errands: what the flow leaves to upkeep, handed to the chore that does it."""

from dataclasses import dataclass

from pushdeploy.domain.names import AppName
from pushdeploy.upkeep.automatic_certificates import AutomaticCertificates
from pushdeploy.upkeep.leftovers import Leftovers
from pushdeploy.upkeep.reconcile import Reconciler
from pushdeploy.upkeep.retention import Retention


@dataclass(frozen=True, slots=True)
class UpkeepErrands:
    """The port ``Errands``."""

    reconciler: Reconciler
    retention: Retention
    leftovers: Leftovers
    automatic_certificates: AutomaticCertificates

    def look_again(self, app: AppName) -> None:
        self.reconciler.look_again(app)

    def collect(self, app: AppName) -> None:
        self.retention.collect_behind(app)

    def certify(self) -> None:
        self.automatic_certificates.wake()

    def forget_builds(self, app_id: int) -> None:
        self.leftovers.after_destroy(app_id)
