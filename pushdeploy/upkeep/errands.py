"""Errands: what the flow leaves to upkeep, handed to the chore that does it."""

from dataclasses import dataclass

from pushdeploy.domain.names import AppName
from pushdeploy.upkeep.reconcile import Reconciler
from pushdeploy.upkeep.retention import Retention


@dataclass(frozen=True, slots=True)
class UpkeepErrands:
    """The port ``Errands``."""

    reconciler: Reconciler
    retention: Retention

    def look_again(self, app: AppName) -> None:
        self.reconciler.look_again(app)

    def collect(self, app: AppName) -> None:
        self.retention.collect_behind(app)
