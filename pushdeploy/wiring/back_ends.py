"""Back-ends: who stands behind which port. Nothing of it is started here."""

from dataclasses import dataclass, replace

from pushdeploy.build.builder import SlugBuilder
from pushdeploy.build.containers import BuildSettings
from pushdeploy.build.stacks import stacks_of
from pushdeploy.certificates.automatic.dns_hook import DnsHook
from pushdeploy.certificates.choice import Certificates
from pushdeploy.certificates.wishes import Wishes
from pushdeploy.context import BackEnds
from pushdeploy.disks.directories import Directories
from pushdeploy.disks.snapshot_files import SnapshotFiles
from pushdeploy.domain.manifest import Limits
from pushdeploy.domain.ports.builder import Builder
from pushdeploy.domain.ports.router import Router
from pushdeploy.domain.ports.scheduler import Scheduler
from pushdeploy.flow.swap import STOP_SECONDS
from pushdeploy.publish.publisher import Publisher
from pushdeploy.publish.trees import Trees
from pushdeploy.receive.repositories import Repositories
from pushdeploy.release.copies import Copies
from pushdeploy.release.rehearsal import Rehearsals
from pushdeploy.release.snapshots import SnapshotPhase
from pushdeploy.route.choice import RouterGround, choose_router
from pushdeploy.route.sites import Sites
from pushdeploy.run.choice import SchedulerGround, choose_scheduler
from pushdeploy.run.manifests import Manifests
from pushdeploy.settings import Settings
from pushdeploy.store import Store
from pushdeploy.wiring.ground import Ground


@dataclass(frozen=True, slots=True)
class Given:
    """Back-ends that stand in place of the real ones."""

    scheduler: Scheduler | None = None
    router: Router | None = None
    builder: Builder | None = None


def make_back_ends(ground: Ground, given: Given) -> BackEnds:
    settings, home, store = ground.settings, ground.home, ground.store
    disks, snapshot_files = Directories(home.disks), SnapshotFiles(home.snapshots)
    scheduler, builder = given.scheduler or _scheduler(ground), given.builder or _builder(ground)
    copies = Copies(store, snapshot_files, disks, home.rehearsals)
    locks, limits = ground.locks, _limits(settings)
    router = given.router or choose_router(RouterGround(home, settings))
    publisher = Publisher(store, ground.engine, Trees(home.nginx))
    return BackEnds(
        repositories=Repositories(home.repositories, store.releases.branches),
        builder=builder,
        scheduler=scheduler,
        router=router,
        manifests=Manifests(disks, limits, store.pipelines.place_of),
        disks=disks,
        publisher=publisher,
        sites=_sites(settings, store, publisher),
        wishes=_wishes(ground),
        certificates=Certificates(store, router, settings.domain),
        snapshots=SnapshotPhase(
            store,
            snapshot_files,
            disks,
            settings.keep_snapshots,
            settings.keep_snapshot_days,
            settings.keep_releases,
        ),
        rehearsals=Rehearsals(
            store, locks.apps, locks.pins, copies, scheduler, builder, limits, STOP_SECONDS
        ),
    )


def _wishes(ground: Ground) -> Wishes:
    settings, hook = ground.settings, DnsHook(ground.lifecycle)
    public = settings.acme_ca_bundle is None
    return Wishes(ground.store, settings.domain, hook, public)


def _sites(settings: Settings, store: Store, publisher: Publisher) -> Sites:
    https, http_port = settings.https_address, settings.http.port
    plain = Sites(store.apps, store.domains, settings.domain, http_port, publisher)
    if https is None:
        return plain
    return replace(plain, certificates=store.certificates, https_port=https.port)


def _scheduler(ground: Ground) -> Scheduler:
    return choose_scheduler(
        SchedulerGround(ground.engine, ground.instance, ground.home, ground.settings),
        ground.store.releases.schedulers,
    )


def _builder(ground: Ground) -> Builder:
    settings, store = ground.settings, ground.store
    build = BuildSettings(
        memory_bytes=settings.build_memory_bytes,
        cpus=settings.build_cpus,
        timeout_seconds=settings.build_timeout_seconds,
        ca_bundle=settings.ca_bundle,
        cache=ground.home.cache,
        stack=settings.stack,
    )
    stacks = stacks_of(ground.engine, settings)
    return SlugBuilder(ground.engine, stacks, store.slugs, store.releases, build)


def _limits(settings: Settings) -> Limits:
    return Limits(
        settings.task_memory_bytes,
        settings.task_cpus,
        settings.task_pids,
        settings.task_cpu_shares,
    )
