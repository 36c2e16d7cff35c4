"""Upkeep: what nobody asks for."""

from pushdeploy.build.caches import AppCaches
from pushdeploy.context import BackEnds, Flow, Upkeep
from pushdeploy.upkeep.host_rules import HostRules
from pushdeploy.upkeep.leftovers import Leftovers
from pushdeploy.upkeep.reconcile import Reconciler
from pushdeploy.upkeep.recovery import Finishing, Recovery
from pushdeploy.upkeep.retention import Retention
from pushdeploy.upkeep.written_layers import WrittenLayers
from pushdeploy.wiring.flow import Following
from pushdeploy.wiring.ground import Ground


def make_reconciler(ground: Ground, back: BackEnds, following: Following) -> Reconciler:
    converger, first_moments = following.converger, following.first_moments
    return Reconciler(ground.store, back.scheduler, back.router, converger, first_moments)


def make_retention(ground: Ground) -> Retention:
    keep, locks = ground.settings.keep_releases, ground.locks
    return Retention(ground.store, locks.apps, ground.engine, keep, pins=locks.pins)


def make_upkeep(
    ground: Ground, back: BackEnds, flow: Flow, reconciler: Reconciler, retention: Retention
) -> Upkeep:
    store, locks, engine = ground.store, ground.locks, ground.engine
    caches, scheduler = AppCaches(ground.home.cache / "apps"), back.scheduler
    most_bytes = ground.settings.task_layer_bytes
    finishing = Finishing(store, flow.turns, locks.traffic, scheduler, reconciler)
    return Upkeep(
        reconciler=reconciler,
        recovery=Recovery(store, back.repositories, scheduler, back.snapshots, finishing),
        retention=retention,
        leftovers=Leftovers(store, locks.apps, engine, caches, retention),
        written_layers=WrittenLayers(scheduler, flow.restarts, locks.apps, most_bytes),
        host_rules=HostRules(engine),
    )
