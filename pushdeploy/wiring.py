"""Puts the parts together: the one place that knows which back-end stands behind which port."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from pushdeploy.access.audit_log import AuditLog
from pushdeploy.build.builder import SlugBuilder
from pushdeploy.build.containers import BuildSettings
from pushdeploy.build.stacks import Stacks
from pushdeploy.commands.dispatch import Commands
from pushdeploy.commands.platform import Platform
from pushdeploy.disks.directories import Directories
from pushdeploy.disks.shelf import Shelf
from pushdeploy.domain.errors import BackendDown, PushdeployError
from pushdeploy.domain.manifest import Limits
from pushdeploy.domain.names import AppName, CommitId, KeyName
from pushdeploy.domain.ports.engine import Engine
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.ports.router import Router
from pushdeploy.domain.ports.scheduler import Scheduler
from pushdeploy.engine.docker import DockerEngine
from pushdeploy.flow.change import Means
from pushdeploy.flow.cutover import STOP_SECONDS
from pushdeploy.flow.deploy import Deployer
from pushdeploy.flow.outlook import Running
from pushdeploy.flow.promote import Promoter
from pushdeploy.flow.ship import Shipper, Stages
from pushdeploy.flow.watch import Watch
from pushdeploy.instance import Home
from pushdeploy.lifecycle import Lifecycle
from pushdeploy.locks.apps import AppLocks
from pushdeploy.locks.one_offs import OneOffs
from pushdeploy.locks.pins import Pins
from pushdeploy.locks.traffic import TrafficLocks
from pushdeploy.locks.writers import Writers
from pushdeploy.pushes import Pushes
from pushdeploy.receive.repositories import Repositories
from pushdeploy.receive.service import GitService, PackLimits
from pushdeploy.release.copies import Copies
from pushdeploy.release.phase import ReleasePhase
from pushdeploy.release.rehearsal import Rehearsals, Stage
from pushdeploy.release.snapshots import SnapshotPhase
from pushdeploy.route.choice import RouterGround, choose_router
from pushdeploy.route.sites import Sites
from pushdeploy.run.choice import SchedulerGround, choose_scheduler
from pushdeploy.run.manifests import Manifests
from pushdeploy.settings import Settings
from pushdeploy.ssh.server import SshServer
from pushdeploy.store import Store
from pushdeploy.upkeep.host_rules import HostRules
from pushdeploy.upkeep.leftovers import Leftovers
from pushdeploy.upkeep.reconcile import Reconciler
from pushdeploy.upkeep.recovery import Recovery
from pushdeploy.upkeep.retention import Retention
from pushdeploy.upkeep.written_layers import WrittenLayers

AfterReceive = Callable[[AppName, str, str, str, KeyName, Output], None]


@dataclass(frozen=True, slots=True)
class Server:
    """The parts that are started and stopped."""

    router: Router
    reconciler: Reconciler
    recovery: Recovery
    promoter: Promoter
    repositories: Repositories
    builder: SlugBuilder
    locks: AppLocks
    ssh: SshServer
    store: Store
    disks: Directories
    scheduler: Scheduler
    rehearsals: Rehearsals
    host_rules: HostRules
    written_layers: WrittenLayers
    leftovers: Leftovers


class Wiring:
    """Each part is made when the first of those that need it is; all are by ``server``."""

    def __init__(self, settings: Settings, home: Home, instance: str) -> None:
        """``BackendDown`` where the database is gone."""
        _refuse_without_database(settings, home)
        self._settings = settings
        self._home = home
        self._instance = instance
        self._locks = AppLocks()
        self._traffic = TrafficLocks()
        self._writers = Writers()
        self._pins = Pins()
        self._disks = Directories(home.disks)
        self._shelf = Shelf(home.snapshots)
        self._repositories = Repositories(home.repositories, self._branches)
        self._lifecycle = Lifecycle(home.root)
        self._limits = Limits(
            settings.task_memory_bytes,
            settings.task_cpus,
            settings.task_pids,
            settings.task_cpu_shares,
        )

    def server(self) -> Server:
        return Server(
            router=self._router,
            reconciler=self._reconciler,
            recovery=Recovery(self._running, self._reconciler.converge_quietly),
            promoter=self._promoter,
            repositories=self._repositories,
            builder=self._builder,
            locks=self._locks,
            ssh=self._ssh,
            store=self._store,
            disks=self._disks,
            scheduler=self._scheduler,
            rehearsals=self._rehearsals,
            host_rules=HostRules(self._engine),
            written_layers=WrittenLayers(
                self._engine,
                self._scheduler,
                self._reconciler,
                self._locks,
                self._settings.task_layer_bytes,
            ),
            leftovers=self._leftovers,
        )

    def _branches(self, app: AppName) -> Mapping[str, CommitId]:
        return self._store.releases.branches(app)

    # ------------------------------------------------------------- what the machine has

    @cached_property
    def _store(self) -> Store:
        return Store.open(self._settings.database_url)

    @cached_property
    def _engine(self) -> Engine:
        settings = self._settings
        return DockerEngine(self._instance, settings.docker_host, lan_closed=settings.lan_closed)

    @cached_property
    def _scheduler(self) -> Scheduler:
        return choose_scheduler(
            SchedulerGround(self._engine, self._instance, self._home, self._settings)
        )

    @cached_property
    def _router(self) -> Router:
        return choose_router(RouterGround(self._home, self._settings))

    @cached_property
    def _sites(self) -> Sites:
        settings = self._settings
        return Sites(self._store.domains, settings.domain, settings.http.port)

    @cached_property
    def _manifests(self) -> Manifests:
        return Manifests(self._disks, self._limits, self._store.pipelines.place_of)

    @cached_property
    def _snapshots(self) -> SnapshotPhase:
        settings = self._settings
        return SnapshotPhase(
            self._store,
            self._shelf,
            self._disks,
            settings.keep_snapshots,
            settings.keep_snapshot_days,
            settings.keep_releases,
        )

    @cached_property
    def _retention(self) -> Retention:
        keep = self._settings.keep_releases
        return Retention(self._store, self._locks, self._engine, keep, pins=self._pins)

    @cached_property
    def _leftovers(self) -> Leftovers:
        caches = self._builder.caches
        return Leftovers(self._store, self._locks, self._engine, caches, self._retention)

    # ------------------------------------------------------------- what becomes of a push

    @cached_property
    def _builder(self) -> SlugBuilder:
        settings, cache = self._settings, self._home.cache
        stacks = Stacks(self._engine, settings.stack_source, cache / "stacks", settings.ca_bundle)
        build = _build_settings(settings, self._home)
        return SlugBuilder(self._engine, stacks, self._store.slugs, self._store.releases, build)

    @cached_property
    def _running(self) -> Running:
        return Running(
            self._store,
            self._locks,
            self._traffic,
            self._repositories,
            self._manifests,
            self._scheduler,
            self._router,
            self._snapshots,
            self._sites,
            self._settings.hold_seconds,
        )

    @cached_property
    def _reconciler(self) -> Reconciler:
        return Reconciler(self._running, self._watch.note)

    @cached_property
    def _watch(self) -> Watch:
        return Watch(self._store, self._scheduler)

    @cached_property
    def _shipper(self) -> Shipper:
        means = Means(
            store=self._store,
            traffic=self._traffic,
            writers=self._writers,
            phase=ReleasePhase(self._scheduler),
            snapshots=self._snapshots,
            scheduler=self._scheduler,
            router=self._router,
            sites=self._sites,
            put_back=self._reconciler.put_back,
            converge=self._reconciler.converge,
            look_again=self._reconciler.look_again,
        )
        after_live = self._retention.after_live
        return Shipper(
            Stages(
                means, self._repositories, self._manifests, self._lifecycle, self._watch, after_live
            )
        )

    @cached_property
    def _deployer(self) -> Deployer:
        return Deployer(
            self._store,
            self._locks,
            self._repositories,
            self._builder,
            self._lifecycle,
            self._shipper,
            self._snapshots,
        )

    @cached_property
    def _promoter(self) -> Promoter:
        return Promoter(self._store, self._locks, self._repositories, self._builder, self._shipper)

    @cached_property
    def _rehearsals(self) -> Rehearsals:
        copies = Copies(self._store, self._shelf, self._disks, self._home.rehearsals)
        return Rehearsals(
            Stage(
                self._store,
                self._locks,
                self._pins,
                copies,
                self._scheduler,
                self._builder,
                self._limits,
                STOP_SECONDS,
            )
        )

    # ------------------------------------------------------------- who is let in

    @cached_property
    def _ssh(self) -> SshServer:
        settings = self._settings
        return SshServer(
            settings.ssh,
            self._home.host_key,
            self._store.keys.find,
            Commands(self._platform).run,
            self._git.serve,
            AuditLog(self._store.audit),
            ciphers=settings.ssh_ciphers,
            login_grace_seconds=settings.login_grace_seconds,
            max_startups=settings.max_startups,
            max_startups_per_host=settings.max_startups_per_host,
        )

    @cached_property
    def _git(self) -> GitService:
        pushes = Pushes(self._store, self._deployer, self._reconciler, self._sites)
        limits = _pack_limits(self._settings)
        return GitService(self._repositories, pushes, limits, _post_receive(self._lifecycle))

    @cached_property
    def _platform(self) -> Platform:
        return Platform(
            self._settings,
            self._store,
            self._locks,
            self._deployer,
            self._promoter,
            self._reconciler,
            self._scheduler,
            self._manifests,
            self._disks,
            self._repositories,
            self._retention,
            self._traffic,
            self._writers,
            OneOffs(),
            self._snapshots,
            self._rehearsals,
            self._leftovers,
            self._sites,
        )


def _refuse_without_database(settings: Settings, home: Home) -> None:
    """An empty database in place of a lost one would take every app for one that is unwanted."""
    if settings.database is None and not home.database.exists():
        raise BackendDown(
            f"{home.database} is missing",
            "put it back, or mount its disk; for a new and empty home:  pushdeploy init",
        )
    if settings.database is None and not home.database.stat().st_size:
        raise BackendDown(
            f"{home.database} is empty: it knows no app",
            "put a backup of it back; if there never was an app:  remove it and pushdeploy init",
        )


def _build_settings(settings: Settings, home: Home) -> BuildSettings:
    return BuildSettings(
        memory_bytes=settings.build_memory_bytes,
        cpus=settings.build_cpus,
        timeout_seconds=settings.build_timeout_seconds,
        ca_bundle=settings.ca_bundle,
        cache=home.cache,
        stack=settings.stack,
    )


def _pack_limits(settings: Settings) -> PackLimits:
    return PackLimits(
        pack_bytes=settings.max_pack_bytes,
        memory_bytes=settings.pack_memory_bytes,
        tree_files=settings.max_tree_files,
        tree_bytes=settings.max_tree_bytes,
    )


def _post_receive(lifecycle: Lifecycle) -> AfterReceive:
    """The hook after a ref has moved; its failure is told and changes nothing."""

    def run(app: AppName, ref: str, old: str, new: str, by: KeyName, output: Output) -> None:
        facts = {"APP": str(app), "REF": ref, "OLD": old, "NEW": new, "BY": str(by)}
        try:
            lifecycle.run("post-receive", facts, output)
        except PushdeployError as error:
            output.trouble(error.message)

    return run
