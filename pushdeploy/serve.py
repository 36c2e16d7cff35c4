"""The server's life: it starts, looks after things, and stops while apps and nginx go on."""

import fcntl
import logging
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from pushdeploy.domain.errors import Busy, PushdeployError
from pushdeploy.instance import Home, read_instance
from pushdeploy.settings import Settings
from pushdeploy.trail import Trail, local_user
from pushdeploy.wiring import Server, Wiring

_log = logging.getLogger(__name__)

FINISHING_SECONDS = 60
"""How long a stopping server waits for deploys past their point of no return."""

BLIND_GRACE_SECONDS = 5
"""For tasks that have never seen their disks, and could write nothing there."""


def serve(settings: Settings) -> NoReturn:
    """Run the server in the foreground until SIGTERM or SIGINT; the process ends with 0 then."""
    _log_to_stderr()
    home = Home(settings.home)
    instance = read_instance(home.root)
    stopping, asked_to_stop = threading.Event(), _asked_to_stop()
    with _only_server(home):
        server = Wiring(settings, home, instance).server()
        trail = Trail(server.store.audit)
        trail.begin_anew()
        with trail.act(local_user(), "pushdeploy serve") as act:
            _startup(server, settings, stopping)
            os.read(asked_to_stop, 1)
            stopping.set()
            _shutdown(server)
            act.exit_status = 0
        server.store.close()
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
    server.walls.raise_all()
    server.repositories.sweep()
    server.builder.sweep()
    _mount_disks(server)
    server.router.start()
    waiting = server.recovery.recover()
    server.rehearsals.sweep()
    server.reconciler.route_all(waiting)
    server.promoter.take_back.recover()
    address = server.ssh.start()
    threading.Thread(target=server.router.watch, args=[stopping], name="nginx", daemon=True).start()
    threading.Thread(
        target=server.reconciler.watch, args=[stopping], name="watch", daemon=True
    ).start()
    threading.Thread(
        target=_upkeep, args=[server, settings, stopping], name="upkeep", daemon=True
    ).start()
    sys.stdout.write(f"ready ssh={address} http={settings.http}\n")
    sys.stdout.flush()


def _upkeep(server: Server, settings: Settings, stopping: threading.Event) -> None:
    """What nobody asks for, again and again."""
    trail = Trail(server.store.audit)
    while not stopping.wait(settings.upkeep_seconds):
        server.walls.renew()
        server.layers.bound()
        try:
            server.router.rotate_logs()
        except PushdeployError as error:
            _log.warning("nginx's logs go on growing: %s", error.message)
        trail.prune(settings.keep_audit_days, settings.keep_audit_rows)


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
