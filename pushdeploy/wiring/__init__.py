"""Wiring: the parts of a server are put together, for tests with other back-ends."""

from functools import cached_property

from pushdeploy.access.audit_log import AuditLog
from pushdeploy.access.gate import Gate
from pushdeploy.commands.dispatch import Commands
from pushdeploy.context import Context, Locks
from pushdeploy.domain.ports.engine import Engine
from pushdeploy.engine.docker import DockerEngine
from pushdeploy.instance import Home, refuse_without_database
from pushdeploy.lifecycle import Lifecycle
from pushdeploy.locks.apps import AppLocks
from pushdeploy.locks.one_offs import OneOffs
from pushdeploy.locks.pins import Pins
from pushdeploy.locks.traffic import TrafficLocks
from pushdeploy.locks.writers import Writers
from pushdeploy.pushes import Pushes, post_receive
from pushdeploy.receive.limits import PackLimits
from pushdeploy.receive.service import GitService
from pushdeploy.settings import Settings
from pushdeploy.ssh.server import SshServer
from pushdeploy.store import Store
from pushdeploy.wiring.back_ends import Given, make_back_ends
from pushdeploy.wiring.flow import make_flow, make_following
from pushdeploy.wiring.ground import Ground
from pushdeploy.wiring.reads import make_reads
from pushdeploy.wiring.upkeep import make_errands, make_upkeep


class Wiring:
    """The wiring opens no part before ``context`` is asked for, and starts none."""

    def __init__(
        self,
        settings: Settings,
        home: Home,
        instance: str,
        *,
        engine: Engine | None = None,
        given: Given | None = None,
    ) -> None:
        """``given`` stand in place of the real back-ends. ``BackendDown`` where the database is
        gone."""
        if settings.database is None:
            refuse_without_database(home)
        self._settings = settings
        self._home = home
        self._instance = instance
        self._engine = engine
        self._given = given or Given()

    @cached_property
    def context(self) -> Context:
        ground = self._ground
        back = make_back_ends(ground, self._given)
        following = make_following(ground, back)
        errands = make_errands(ground, back, following)
        flow, reads = make_flow(ground, back, following, errands), make_reads(ground, back)
        upkeep = make_upkeep(ground, back, flow, errands)
        return Context(
            ground.settings,
            ground.store,
            Gate(ground.store.keys),
            ground.locks,
            back,
            flow,
            reads,
            upkeep,
        )

    @cached_property
    def ssh(self) -> SshServer:
        settings, context = self._settings, self.context
        return SshServer(
            settings.ssh,
            self._home.host_key,
            context.store.keys.find,
            Commands(context).run,
            self._git.serve,
            AuditLog(context.store.audit),
            ciphers=settings.ssh_ciphers,
            login_grace_seconds=settings.login_grace_seconds,
            max_startups=settings.max_startups,
            max_startups_per_host=settings.max_startups_per_host,
        )

    @cached_property
    def _git(self) -> GitService:
        limits, after = _pack_limits(self._settings), post_receive(self._ground.lifecycle)
        context = self.context
        repositories, pushes = context.back_ends.repositories, Pushes(context)
        return GitService(repositories, pushes, limits, context.gate, after)

    @cached_property
    def _ground(self) -> Ground:
        settings, home = self._settings, self._home
        return Ground(
            settings,
            home,
            self._instance,
            Store.open(settings.database_url),
            Locks(AppLocks(), TrafficLocks(), Writers(), OneOffs(), Pins()),
            self._engine
            or DockerEngine(self._instance, settings.docker_host, lan_closed=settings.lan_closed),
            Lifecycle(home.root),
        )


def _pack_limits(settings: Settings) -> PackLimits:
    return PackLimits(
        pack_bytes=settings.max_pack_bytes,
        memory_bytes=settings.pack_memory_bytes,
        tree_files=settings.max_tree_files,
        tree_bytes=settings.max_tree_bytes,
    )
