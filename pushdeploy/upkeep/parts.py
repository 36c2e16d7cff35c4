"""The parts that chores work with, made once by the wiring."""

from dataclasses import dataclass

from pushdeploy.domain.ports.router import Router
from pushdeploy.flow.certificates import CertificateChanges
from pushdeploy.receive.repositories import Repositories
from pushdeploy.reserve import Reserve
from pushdeploy.settings import Settings
from pushdeploy.store import Store
from pushdeploy.upkeep.automatic_certificates import AutomaticCertificates
from pushdeploy.upkeep.chore_runs import ChoreRuns
from pushdeploy.upkeep.closed_host import ClosedHost
from pushdeploy.upkeep.leftovers import Leftovers
from pushdeploy.upkeep.reconcile import Reconciler
from pushdeploy.upkeep.recovery import Recovery
from pushdeploy.upkeep.retention import Retention
from pushdeploy.upkeep.written_layers import WrittenLayers


@dataclass(frozen=True, slots=True)
class Upkeep:
    """Upkeep holds what chores use; ``runs`` tells how they went the last time."""

    settings: Settings
    store: Store
    router: Router
    certificate_changes: CertificateChanges
    automatic_certificates: AutomaticCertificates
    repositories: Repositories
    reserve: Reserve
    reconciler: Reconciler
    recovery: Recovery
    retention: Retention
    leftovers: Leftovers
    written_layers: WrittenLayers
    closed_host: ClosedHost
    runs: ChoreRuns
