"""What commands work with, made once by the wiring."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pushdeploy.disks.directories import Directories
from pushdeploy.domain.asker import Asker
from pushdeploy.domain.names import AppName
from pushdeploy.domain.ports.refs import Refs
from pushdeploy.domain.ports.scheduler import Scheduler
from pushdeploy.flow.deploy import Deployer
from pushdeploy.flow.promote import Promoter
from pushdeploy.locks.apps import AppLocks, Purpose
from pushdeploy.locks.one_offs import OneOffs
from pushdeploy.locks.traffic import TrafficLocks
from pushdeploy.locks.writers import Writers
from pushdeploy.release.rehearsal import Rehearsals
from pushdeploy.release.snapshots import SnapshotPhase
from pushdeploy.route.sites import Sites
from pushdeploy.run.manifests import Manifests
from pushdeploy.settings import Settings
from pushdeploy.store import Store
from pushdeploy.upkeep.leftovers import Leftovers
from pushdeploy.upkeep.reconcile import Reconciler
from pushdeploy.upkeep.retention import Retention


@dataclass(frozen=True, slots=True)
class Platform:
    settings: Settings
    store: Store
    locks: AppLocks
    deployer: Deployer
    promoter: Promoter
    reconciler: Reconciler
    scheduler: Scheduler
    manifests: Manifests
    disks: Directories
    refs: Refs
    retention: Retention
    traffic: TrafficLocks
    writers: Writers
    one_offs: OneOffs
    snapshots: SnapshotPhase
    rehearsals: Rehearsals
    leftovers: Leftovers
    sites: Sites

    @contextmanager
    def turn(self, app: AppName, what: str, asker: Asker) -> Iterator[None]:
        """Hold the app's lock for ``what``; raises ``UnknownApp`` where there is none.

        The wait for it can be cancelled, what is done inside can not.
        """
        self.store.apps.get(app)
        with self.locks.hold(app, Purpose(what, asker.by), asker.output, asker.cancellation):
            asker.cancellation.commit()
            self.store.apps.get(app)
            yield
