"""Upkeep: what nobody asks for."""

from pushdeploy.build.caches import AppCaches
from pushdeploy.certificates.automatic.accounts import Accounts, Authority
from pushdeploy.certificates.automatic.issuing import Issuing
from pushdeploy.certificates.automatic.keeping import Keeping
from pushdeploy.certificates.automatic.name_servers import NameServers
from pushdeploy.certificates.automatic.self_check import SelfCheck
from pushdeploy.context import BackEnds, Flow
from pushdeploy.reserve import Reserve
from pushdeploy.upkeep.automatic_certificates import AutomaticCertificates
from pushdeploy.upkeep.chore_runs import ChoreRuns
from pushdeploy.upkeep.closed_host import ClosedHost
from pushdeploy.upkeep.errands import UpkeepErrands
from pushdeploy.upkeep.leftovers import Leftovers
from pushdeploy.upkeep.parts import Upkeep
from pushdeploy.upkeep.reconcile import Reconciler
from pushdeploy.upkeep.recovery import Finishing, Recovery
from pushdeploy.upkeep.retention import Retention
from pushdeploy.upkeep.written_layers import WrittenLayers
from pushdeploy.wiring.flow import Following
from pushdeploy.wiring.ground import Ground


def make_errands(ground: Ground, back: BackEnds, following: Following) -> UpkeepErrands:
    """Make the port by which the flow leaves work to the chores."""
    store, locks, engine = ground.store, ground.locks, ground.engine
    keep, caches = ground.settings.keep_releases, AppCaches.below(ground.home.cache)
    converger, first_moments = following.converger, following.first_moments
    retention = Retention(store, locks.apps, engine, keep, back.publisher.trees, pins=locks.pins)
    return UpkeepErrands(
        Reconciler(store, back.scheduler, back.router, converger, first_moments),
        retention,
        Leftovers(store, locks.apps, engine, caches, retention),
        _automatic_certificates(ground, back),
    )


def make_upkeep(ground: Ground, back: BackEnds, flow: Flow, errands: UpkeepErrands) -> Upkeep:
    store, locks, engine = ground.store, ground.locks, ground.engine
    scheduler, reconciler = back.scheduler, errands.reconciler
    most_bytes = ground.settings.task_layer_bytes
    finishing = Finishing(store, flow.turns, locks.traffic, scheduler, reconciler)
    return Upkeep(
        settings=ground.settings,
        store=store,
        router=back.router,
        certificate_changes=flow.certificates,
        automatic_certificates=errands.automatic_certificates,
        repositories=back.repositories,
        reserve=Reserve(ground.home.root),
        reconciler=reconciler,
        recovery=Recovery(store, back.repositories, scheduler, back.snapshots, finishing),
        retention=errands.retention,
        leftovers=errands.leftovers,
        written_layers=WrittenLayers(scheduler, flow.restarts, flow.turns, most_bytes),
        closed_host=ClosedHost(engine),
        runs=ChoreRuns(ground.home.chore_runs),
    )


def _automatic_certificates(ground: Ground, back: BackEnds) -> AutomaticCertificates:
    settings, store, wishes = ground.settings, ground.store, back.wishes
    authority = Authority(
        settings.acme_directory,
        settings.acme_email or "",
        settings.acme_eab_kid or "",
        settings.acme_eab_hmac_key or "",
        settings.acme_profile,
        settings.acme_ca_bundle,
    )
    issuing = Issuing(
        authority,
        Accounts(authority, store.acme_accounts),
        back.router,
        SelfCheck(settings.http, NameServers(settings.acme_resolver), settings.proxy_protocol),
        wishes.dns_hook,
    )
    keeping = Keeping(store, back.certificates)
    return AutomaticCertificates(store, wishes, issuing, keeping.keep)
