"""Puts the parts together: the one place that knows which back-end stands behind which port."""

import fcntl
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

from pushdeploy.build.builder import SlugBuilder
from pushdeploy.build.containers import BuildSettings
from pushdeploy.build.stacks import Stacks
from pushdeploy.commands.dispatch import Commands
from pushdeploy.commands.platform import Platform
from pushdeploy.cutover import STOP_SECONDS, Means
from pushdeploy.deploy import Deployer
from pushdeploy.disks.directories import Directories
from pushdeploy.disks.shelf import Shelf
from pushdeploy.domain.errors import BackendDown, Busy, PushdeployError
from pushdeploy.domain.manifest import Limits
from pushdeploy.domain.names import AppName, KeyName
from pushdeploy.domain.ports import Output, Router, Scheduler
from pushdeploy.engine.docker import DockerEngine
from pushdeploy.instance import Home, read_instance
from pushdeploy.lifecycle import Lifecycle
from pushdeploy.locks import AppLocks, Pins, TrafficLocks, Writers
from pushdeploy.promote import Promoter
from pushdeploy.pushes import Pushes
from pushdeploy.receive.repositories import Repositories
from pushdeploy.receive.service import GitService, PackLimits
from pushdeploy.reconcile import Reconciler, Running
from pushdeploy.recovery import Recovery
from pushdeploy.release.copies import Copies
from pushdeploy.release.phase import ReleasePhase
from pushdeploy.release.rehearsal import Rehearsals, Stage
from pushdeploy.release.snapshots import SnapshotPhase
from pushdeploy.resources import find
from pushdeploy.retention import Retention
from pushdeploy.route.routers.nginx import ROUTER
from pushdeploy.run.manifests import Manifests
from pushdeploy.run.schedulers.docker_local import SCHEDULER
from pushdeploy.settings import Settings
from pushdeploy.ship import Shipper, Stages
from pushdeploy.ssh.server import SshServer
from pushdeploy.store import Store
from pushdeploy.templating import Templates

_log = logging.getLogger(__name__)

AfterReceive = Callable[[AppName, str, str, str, KeyName, Output], None]

FINISHING_SECONDS = 60
"""How long a stopping server waits for deploys past their point of no return."""

UPKEEP_SECONDS = 60

BLIND_GRACE_SECONDS = 5
"""For tasks that have never seen their disks, and could write nothing there."""


@dataclass(frozen=True, slots=True)
class Server:
    """The running parts that ``serve`` starts and stops."""

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


def serve(settings: Settings) -> NoReturn:
    """Run the server in the foreground until SIGTERM or SIGINT; the process ends with 0 then."""
    _log_to_stderr()
    home = Home(settings.home)
    instance = read_instance(home.root)
    stopping, asked_to_stop = threading.Event(), _asked_to_stop()
    with _only_server(home):
        server = _assemble(settings, home, instance)
        _startup(server, settings, stopping)
        os.read(asked_to_stop, 1)
        stopping.set()
        _shutdown(server)
        # Not by way of the interpreter, which waits for every thread: a deploy that has not ended
        # by now, or an app that takes its time to boot, is finished or undone at the next start.
        logging.shutdown()
        os._exit(0)


def _asked_to_stop() -> int:
    """A pipe that has something to read from SIGTERM or SIGINT on.

    An event that a handler sets would do nearly always: but a signal that another thread gets does
    not wake the waiting one, and one that comes while it begins to wait locks it for ever.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    return reading


def _startup(server: Server, settings: Settings, stopping: threading.Event) -> None:
    server.repositories.sweep()
    server.builder.sweep()
    _mount_disks(server)
    server.router.start()
    waiting = server.recovery.recover()
    server.rehearsals.sweep()
    server.reconciler.route_all(waiting)
    server.promoter.take_back.recover()
    address = server.ssh.start()
    threading.Thread(
        target=server.reconciler.watch, args=[stopping], name="watch", daemon=True
    ).start()
    threading.Thread(target=_upkeep, args=[server, stopping], name="upkeep", daemon=True).start()
    sys.stdout.write(f"ready ssh={address} http={settings.http}\n")
    sys.stdout.flush()


def _upkeep(server: Server, stopping: threading.Event) -> None:
    """What nobody asks for, once a minute."""
    while not stopping.wait(UPKEEP_SECONDS):
        try:
            server.router.rotate_logs()
        except PushdeployError as error:
            _log.warning("nginx's logs go on growing: %s", error.message)


def _mount_disks(server: Server) -> None:
    """Those with sizes. What the engine started by itself at a boot looks past them, and goes.

    The reconciler starts it anew.
    """
    apps = {app for app, _ in server.disks.quota.ensure_all()}
    if apps:
        blind = [task for app in sorted(apps) for task in server.scheduler.tasks(app)]
        server.scheduler.stop(blind, BLIND_GRACE_SECONDS)


def _shutdown(server: Server) -> None:
    """Take no more requests, let committed deploys end; apps and nginx go on serving."""
    _log.info("stopping: apps and nginx go on serving")
    server.locks.close("the server is being stopped")
    server.rehearsals.close("the server is being stopped", FINISHING_SECONDS)
    if not server.locks.wait_until_free(FINISHING_SECONDS):
        _log.warning("a deploy is still going on; it is undone at the next start")
    server.ssh.stop()
    server.store.close()


def _assemble(settings: Settings, home: Home, instance: str) -> Server:
    _refuse_without_database(settings, home)
    store = Store.open(settings.database_url)
    engine = DockerEngine(instance, settings.docker_host)
    templates = Templates(home.root)
    entry = find("hooks", "release", home.root)
    scheduler = SCHEDULER(engine, instance, home.logs, entry, settings.domain)
    router = ROUTER(
        home.root, settings.http, settings.https, templates, settings.nginx, settings.hold_seconds
    )
    repositories = Repositories(home.repositories)
    disks = Directories(home.disks)
    lifecycle = Lifecycle(home.root)
    limits = Limits(settings.task_memory_bytes, settings.task_cpus, settings.task_pids)
    manifests = Manifests(disks, limits, store.pipelines.place_of)
    locks, traffic, writers, pins = AppLocks(), TrafficLocks(), Writers(), Pins()
    shelf = Shelf(home.snapshots)
    snapshots = SnapshotPhase(
        store,
        shelf,
        disks,
        settings.keep_snapshots,
        settings.keep_snapshot_days,
        settings.keep_releases,
    )
    stacks = Stacks(engine, settings.stack_source, home.cache / "stacks", settings.ca_bundle)
    builder = SlugBuilder(engine, stacks, store.slugs, _build_settings(settings, home))
    retention = Retention(store, locks, engine, settings.keep_releases, pins=pins)
    running = Running(
        store,
        locks,
        traffic,
        repositories,
        manifests,
        scheduler,
        router,
        snapshots,
        settings.domain,
    )
    reconciler = Reconciler(running)
    means = Means(
        store=store,
        traffic=traffic,
        writers=writers,
        phase=ReleasePhase(scheduler),
        snapshots=snapshots,
        scheduler=scheduler,
        router=router,
        domain=settings.domain,
        put_back=reconciler.put_back,
        converge=reconciler.converge,
    )
    stages = Stages(means, repositories, manifests, lifecycle, retention.after_live)
    shipper = Shipper(stages)
    deployer = Deployer(store, locks, repositories, builder, lifecycle, shipper, snapshots)
    promoter = Promoter(store, locks, repositories, builder, shipper)
    rehearsals = Rehearsals(
        Stage(
            store,
            locks,
            pins,
            Copies(store, shelf, disks, home.rehearsals),
            scheduler,
            builder,
            limits,
            STOP_SECONDS,
        )
    )
    platform = Platform(
        settings,
        store,
        locks,
        deployer,
        promoter,
        reconciler,
        scheduler,
        manifests,
        disks,
        repositories,
        retention,
        traffic,
        writers,
        snapshots,
        rehearsals,
    )
    pushes = Pushes(store, deployer, reconciler, settings.domain)
    git = GitService(repositories, pushes, _pack_limits(settings), _post_receive(lifecycle))
    ssh = SshServer(
        settings.ssh,
        home.host_key,
        store.keys.find,
        Commands(platform).run,
        git.serve,
        ciphers=settings.ssh_ciphers,
        login_grace_seconds=settings.login_grace_seconds,
        max_startups=settings.max_startups,
        max_startups_per_host=settings.max_startups_per_host,
    )
    return Server(
        router,
        reconciler,
        Recovery(running, reconciler.converge_quietly),
        promoter,
        repositories,
        builder,
        locks,
        ssh,
        store,
        disks,
        scheduler,
        rehearsals,
    )


def _refuse_without_database(settings: Settings, home: Home) -> None:
    """An empty database in place of a lost one would take every app for one that is unwanted."""
    if settings.database is None and not home.database.exists():
        raise BackendDown(
            f"{home.database} is missing",
            "put it back, or mount its disk; for a new and empty home:  pushdeploy init",
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


@contextmanager
def _only_server(home: Home) -> Iterator[None]:
    """Hold the home for this process: ``Busy`` where another server has it."""
    with home.pid_file.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            raise Busy(
                f"process {file.read().strip() or 'unknown'} serves {home.root} already",
                "stop it first, or give this one a home of its own: PUSHDEPLOY_HOME",
            ) from error
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _log_to_stderr() -> None:
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        force=True,
    )
    for chatty in ("paramiko", "urllib3", "docker", "alembic", "dulwich"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
