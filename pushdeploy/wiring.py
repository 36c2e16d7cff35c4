"""Puts the parts together: the one place that knows which back-end stands behind which port."""

from functools import cached_property

from pushdeploy.access.audit_log import AuditLog
from pushdeploy.access.gate import Gate
from pushdeploy.build.builder import SlugBuilder
from pushdeploy.build.caches import AppCaches
from pushdeploy.build.containers import BuildSettings
from pushdeploy.build.stacks import Stacks
from pushdeploy.commands.dispatch import Commands
from pushdeploy.context import BackEnds, Context, Flow, Locks, Reads, Upkeep
from pushdeploy.disks.directories import Directories
from pushdeploy.disks.snapshot_files import SnapshotFiles
from pushdeploy.domain.errors import BackendDown
from pushdeploy.domain.manifest import Limits
from pushdeploy.domain.ports.builder import Builder
from pushdeploy.domain.ports.engine import Engine
from pushdeploy.domain.ports.errands import Errands
from pushdeploy.domain.ports.router import Router
from pushdeploy.domain.ports.scheduler import Scheduler
from pushdeploy.engine.docker import DockerEngine
from pushdeploy.flow.after_live import AfterLive
from pushdeploy.flow.attach import DiskChanges
from pushdeploy.flow.building import Building
from pushdeploy.flow.candidates import Candidates
from pushdeploy.flow.configure import ConfigChanges
from pushdeploy.flow.converge import Converger
from pushdeploy.flow.cutover import CutOvers, Exclusive, Overlap
from pushdeploy.flow.deploy import Deployer
from pushdeploy.flow.first_moments import FirstMoments
from pushdeploy.flow.keys import KeyChanges
from pushdeploy.flow.lock import Locking
from pushdeploy.flow.new_tasks import Starts
from pushdeploy.flow.one_off import OneOffCommands
from pushdeploy.flow.outages import Outages
from pushdeploy.flow.pipelines import PipelineChanges
from pushdeploy.flow.processes import Processes
from pushdeploy.flow.promote import Promoter
from pushdeploy.flow.records import Records
from pushdeploy.flow.rehearse import RehearsalRequests
from pushdeploy.flow.rename import Renames
from pushdeploy.flow.restart import Restarts
from pushdeploy.flow.restore import Restores
from pushdeploy.flow.retry import Retries
from pushdeploy.flow.rollback import Rollbacks
from pushdeploy.flow.safety import Safety
from pushdeploy.flow.shared_config import SharedConfig
from pushdeploy.flow.ship import Shipper
from pushdeploy.flow.swap import STOP_SECONDS, Swaps
from pushdeploy.flow.take_back import TakeBack
from pushdeploy.flow.traffic import Traffic
from pushdeploy.flow.turn import Turns
from pushdeploy.instance import Home
from pushdeploy.lifecycle import Lifecycle
from pushdeploy.locks.apps import AppLocks
from pushdeploy.locks.one_offs import OneOffs
from pushdeploy.locks.pins import Pins
from pushdeploy.locks.traffic import TrafficLocks
from pushdeploy.locks.writers import Writers
from pushdeploy.pushes import Pushes, post_receive
from pushdeploy.reads.apps import AppReader
from pushdeploy.reads.disks import DiskReader
from pushdeploy.reads.pipelines import PipelineReader
from pushdeploy.reads.releases import ReleaseReader
from pushdeploy.reads.snapshots import SnapshotReader
from pushdeploy.reads.tasks import TaskReader
from pushdeploy.reads.verification import Verifier
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
from pushdeploy.upkeep.errands import UpkeepErrands
from pushdeploy.upkeep.host_rules import HostRules
from pushdeploy.upkeep.leftovers import Leftovers
from pushdeploy.upkeep.reconcile import Reconciler
from pushdeploy.upkeep.recovery import Finishing, Recovery
from pushdeploy.upkeep.retention import Retention
from pushdeploy.upkeep.written_layers import WrittenLayers


class Wiring:
    """Each part is made when the first of those that need it is; all are by ``context``."""

    def __init__(
        self,
        settings: Settings,
        home: Home,
        instance: str,
        *,
        engine: Engine | None = None,
        scheduler: Scheduler | None = None,
        router: Router | None = None,
        builder: Builder | None = None,
    ) -> None:
        """Back-ends that are given stand in place of the real ones. ``BackendDown`` where the
        database is gone."""
        _refuse_without_database(settings, home)
        self._settings = settings
        self._home = home
        self._instance = instance
        self._given = (engine, scheduler, router, builder)
        self._locks = Locks(AppLocks(), TrafficLocks(), Writers(), OneOffs(), Pins())
        self._snapshot_files = SnapshotFiles(home.snapshots)
        self._lifecycle = Lifecycle(home.root)
        self._limits = Limits(
            settings.task_memory_bytes,
            settings.task_cpus,
            settings.task_pids,
            settings.task_cpu_shares,
        )

    @cached_property
    def context(self) -> Context:
        return Context(
            self._settings,
            self._store,
            Gate(self._store.keys),
            self._locks,
            self._back_ends,
            self._flow,
            self._reads,
            self._upkeep,
        )

    @cached_property
    def ssh(self) -> SshServer:
        settings = self._settings
        return SshServer(
            settings.ssh,
            self._home.host_key,
            self._store.keys.find,
            Commands(self.context).run,
            self._git.serve,
            AuditLog(self._store.audit),
            ciphers=settings.ssh_ciphers,
            login_grace_seconds=settings.login_grace_seconds,
            max_startups=settings.max_startups,
            max_startups_per_host=settings.max_startups_per_host,
        )

    @cached_property
    def _git(self) -> GitService:
        limits, after = _pack_limits(self._settings), post_receive(self._lifecycle)
        context = self.context
        repositories, pushes = context.back_ends.repositories, Pushes(context)
        return GitService(repositories, pushes, limits, context.gate, after)

    # ------------------------------------------------------------- what the machine has

    @cached_property
    def _store(self) -> Store:
        return Store.open(self._settings.database_url)

    @cached_property
    def _engine(self) -> Engine:
        given, settings = self._given[0], self._settings
        return given or DockerEngine(
            self._instance, settings.docker_host, lan_closed=settings.lan_closed
        )

    @cached_property
    def _back_ends(self) -> BackEnds:
        disks, settings = Directories(self._home.disks), self._settings
        builder = self._given[3] or self._builder()
        scheduler = self._given[1] or self._scheduler()
        return BackEnds(
            repositories=Repositories(self._home.repositories, self._store.releases.branches),
            builder=builder,
            scheduler=scheduler,
            router=self._given[2] or self._router(),
            manifests=Manifests(disks, self._limits, self._store.pipelines.place_of),
            disks=disks,
            sites=Sites(self._store.domains, settings.domain, settings.http.port),
            snapshots=SnapshotPhase(
                self._store,
                self._snapshot_files,
                disks,
                settings.keep_snapshots,
                settings.keep_snapshot_days,
                settings.keep_releases,
            ),
            rehearsals=self._rehearsals(disks, scheduler, builder),
        )

    def _scheduler(self) -> Scheduler:
        return choose_scheduler(
            SchedulerGround(self._engine, self._instance, self._home, self._settings)
        )

    def _router(self) -> Router:
        return choose_router(RouterGround(self._home, self._settings))

    def _builder(self) -> Builder:
        settings, cache = self._settings, self._home.cache
        stacks = Stacks(self._engine, settings.stack_source, cache / "stacks", settings.ca_bundle)
        build = _build_settings(settings, self._home)
        return SlugBuilder(self._engine, stacks, self._store.slugs, self._store.releases, build)

    def _rehearsals(self, disks: Directories, scheduler: Scheduler, builder: Builder) -> Rehearsals:
        copies = Copies(self._store, self._snapshot_files, disks, self._home.rehearsals)
        locks = self._locks
        return Rehearsals(
            Stage(
                self._store,
                locks.apps,
                locks.pins,
                copies,
                scheduler,
                builder,
                self._limits,
                STOP_SECONDS,
            )
        )

    # ------------------------------------------------------------- what people ask for

    @cached_property
    def _flow(self) -> Flow:
        store, back, turns = self._store, self._back_ends, self._turns
        candidates, shipper = Candidates(store), self._shipper
        building = Building(store, back.builder, self._lifecycle)
        take_back = TakeBack(store, turns, candidates, shipper)
        refs, builder, swaps = back.repositories, back.builder, self._swaps
        promoter = Promoter(store, turns, refs, builder, candidates, shipper, take_back)
        converger, traffic, processes = self._converger, self._traffic, self._processes
        return Flow(
            turns=turns,
            deployer=Deployer(store, turns, refs, building, candidates, shipper),
            retries=Retries(store, turns, refs, builder, candidates, shipper),
            rollbacks=Rollbacks(store, turns, builder, candidates, shipper),
            restores=Restores(store, turns, back.snapshots, candidates, shipper),
            config_changes=ConfigChanges(store, turns, candidates, shipper),
            disk_changes=DiskChanges(store, turns, candidates, shipper),
            promoter=promoter,
            converger=converger,
            restarts=Restarts(converger, processes, traffic, swaps),
            renames=Renames(store, turns, converger, swaps, refs, back.disks),
            rehearsals=RehearsalRequests(store, promoter, back.rehearsals),
            one_offs=OneOffCommands(
                store, back.scheduler, back.manifests, self._locks.writers, self._locks.one_offs
            ),
            locking=Locking(store, self._locks.apps),
            keys=KeyChanges(store),
            pipelines=PipelineChanges(store),
            shared_config=SharedConfig(store),
        )

    @cached_property
    def _turns(self) -> Turns:
        return Turns(self._store, self._locks.apps)

    @cached_property
    def _traffic(self) -> Traffic:
        back, outages = self._back_ends, Outages(self._settings.hold_seconds)
        return Traffic(self._locks.traffic, back.router, back.sites, outages)

    @cached_property
    def _processes(self) -> Processes:
        return Processes(self._store, self._back_ends.scheduler, self._back_ends.manifests)

    @cached_property
    def _swaps(self) -> Swaps:
        return Swaps(self._traffic, self._back_ends.scheduler)

    @cached_property
    def _converger(self) -> Converger:
        snapshots = self._back_ends.snapshots
        return Converger(self._store, self._processes, self._traffic, snapshots)

    @cached_property
    def _first_moments(self) -> FirstMoments:
        return FirstMoments(self._store, self._back_ends.scheduler)

    @cached_property
    def _shipper(self) -> Shipper:
        store, back, errands = self._store, self._back_ends, self._errands
        after_live = AfterLive(
            store,
            back.repositories,
            back.scheduler,
            back.snapshots,
            self._lifecycle,
            back.sites,
            self._first_moments,
        )
        converger, records = self._converger, Records(store)
        return Shipper(
            store, back.manifests, converger, records, self._cut_overs, after_live, errands
        )

    @cached_property
    def _cut_overs(self) -> CutOvers:
        store, back, traffic = self._store, self._back_ends, self._traffic
        scheduler, snapshots, writers = back.scheduler, back.snapshots, self._locks.writers
        starts = Starts(store, scheduler, ReleasePhase(scheduler))
        safety = Safety(store, snapshots, self._converger, self._errands)
        return CutOvers(
            Overlap(store, scheduler, snapshots, starts, traffic),
            Exclusive(store, scheduler, writers, starts, traffic, self._swaps, safety),
        )

    # ------------------------------------------------------------- what is told

    @cached_property
    def _reads(self) -> Reads:
        store, locks, back = self._store, self._locks, self._back_ends
        scheduler, manifests = back.scheduler, back.manifests
        return Reads(
            apps=AppReader(store, locks.apps, locks.traffic, back.sites),
            tasks=TaskReader(store, scheduler, manifests, locks.one_offs, locks.traffic),
            releases=ReleaseReader(store, self._engine),
            snapshots=SnapshotReader(store, back.snapshots),
            disks=DiskReader(store, back.disks),
            pipelines=PipelineReader(store, back.repositories),
            verifier=Verifier(store, scheduler, manifests, locks.apps),
        )

    # ------------------------------------------------------------- what nobody asks for

    @cached_property
    def _reconciler(self) -> Reconciler:
        back = self._back_ends
        return Reconciler(
            self._store, back.scheduler, back.router, self._converger, self._first_moments
        )

    @cached_property
    def _retention(self) -> Retention:
        keep, locks = self._settings.keep_releases, self._locks
        return Retention(self._store, locks.apps, self._engine, keep, pins=locks.pins)

    @cached_property
    def _errands(self) -> Errands:
        return UpkeepErrands(self._reconciler, self._retention)

    @cached_property
    def _upkeep(self) -> Upkeep:
        store, locks, back, engine = self._store, self._locks, self._back_ends, self._engine
        caches = AppCaches(self._home.cache / "apps")
        finishing = Finishing(store, self._turns, locks.traffic, back.scheduler, self._reconciler)
        return Upkeep(
            reconciler=self._reconciler,
            recovery=Recovery(store, back.repositories, back.scheduler, back.snapshots, finishing),
            retention=self._retention,
            leftovers=Leftovers(store, locks.apps, engine, caches, self._retention),
            written_layers=WrittenLayers(
                engine,
                back.scheduler,
                self._flow.restarts,
                locks.apps,
                self._settings.task_layer_bytes,
            ),
            host_rules=HostRules(engine),
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
