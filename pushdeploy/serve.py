"""The server's life: it starts, looks after things, and stops while apps and nginx go on."""

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn

from pushdeploy.access.audit_log import AuditLog, local_user
from pushdeploy.context import Context
from pushdeploy.domain.errors import BackendDown, PushdeployError
from pushdeploy.domain.names import AppName
from pushdeploy.instance import Home, read_instance
from pushdeploy.no_room import no_room_behind
from pushdeploy.reserve import Reserve
from pushdeploy.server_lock import only_server
from pushdeploy.settings import Settings, lost_settings
from pushdeploy.ssh.server import SshServer
from pushdeploy.upkeep.clock import Clock, found_chores
from pushdeploy.upkeep.mounting import mount_disks
from pushdeploy.wiring import Wiring

_log = logging.getLogger(__name__)

FINISHING_SECONDS = 60
"""How long a stopping server waits for deploys past their point of no return."""


def serve(settings: Settings) -> NoReturn:
    """Run the server in the foreground until SIGTERM or SIGINT; the process ends with 0 then."""
    _log_to_stderr()
    if lost := lost_settings(settings):
        _log.warning("%s", lost)
    home = Home(settings.home)
    instance = read_instance(home.root)
    asked_to_stop = _asked_to_stop()
    with only_server(home):
        Reserve(home.root).give_up_where_full()
        wiring = Wiring(settings, home, instance)
        context, ssh = wiring.context, wiring.ssh
        clock = Clock(context.upkeep, found_chores())
        audit_log = AuditLog(context.store.audit)
        audit_log.begin_anew()
        with audit_log.act(local_user(), "pushdeploy serve") as act:
            _startup(context, ssh, clock)
            os.read(asked_to_stop, 1)
            _shutdown(context, ssh, clock)
            act.exit_status = 0
        context.store.close()
        # Not by way of the interpreter, which waits for every thread: a deploy that has not ended
        # by now, or an app that takes its time to boot, is finished or undone at the next start.
        logging.shutdown()
        os._exit(0)


def _startup(context: Context, ssh: SshServer, clock: Clock) -> None:
    """Where the home cannot be written to, ssh is what leads out of that: the rest is left."""
    back, upkeep = context.back_ends, context.upkeep
    for damage in context.store.damage():
        _log.warning("%s; %s", damage, damage.mend)
    _close_host(context)
    waiting: list[AppName] = []
    for what, begin in (
        ("what pushes left", back.repositories.sweep),
        ("what builds left", back.builder.sweep),
        ("what publishing left", back.publisher.trees.clear),
        ("disks with sizes", lambda: mount_disks(back.disks, back.scheduler)),
        ("nginx", back.router.start),
        ("what a killed server left", lambda: waiting.extend(upkeep.recovery.recover())),
        ("rehearsals", back.rehearsals.sweep),
        ("apps that were being destroyed", context.flow.destruction.recover),
        ("certificates", back.certificates.show),
        ("routes", lambda: upkeep.reconciler.route_all(waiting)),
        ("promotions that were cut short", context.flow.promoter.take_back.recover),
    ):
        with _borne(what, context.settings):
            begin()
    address = ssh.start()
    clock.start()
    settings = context.settings
    https = f" https={settings.https_address}" if settings.https_address else ""
    sys.stdout.write(f"ready ssh={address} http={settings.http}{https}\n")
    sys.stdout.flush()


def _close_host(context: Context) -> None:
    """Without an engine nothing is started, but files are served all the same, as they were."""
    try:
        context.upkeep.closed_host.set_up()
    except BackendDown:
        with suppress(PushdeployError):
            context.back_ends.router.start()
        raise


def _shutdown(context: Context, ssh: SshServer, clock: Clock) -> None:
    """Take no more requests, let committed deploys end; apps and nginx go on serving."""
    _log.info("stopping: apps and nginx go on serving")
    clock.stop()
    context.locks.apps.close("the server is being stopped")
    context.back_ends.rehearsals.close("the server is being stopped", FINISHING_SECONDS)
    if not context.locks.apps.wait_until_free(FINISHING_SECONDS):
        _log.warning("a deploy is still going on; it is undone at the next start")
    ssh.stop()


@contextmanager
def _borne(what: str, settings: Settings) -> Iterator[None]:
    """Raise what fails, unless it does because the home cannot be written to: that is logged."""
    try:
        yield
    except (PushdeployError, OSError) as error:
        lack = no_room_behind(error, settings.home)
        if lack is None:
            raise
        _log.error("%s: not looked after: %s; %s", what, lack.message, lack.hint)


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


def _log_to_stderr() -> None:
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        force=True,
    )
    for chatty in ("paramiko", "urllib3", "docker", "alembic", "dulwich"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
