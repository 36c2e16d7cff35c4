"""The server's life: it starts, looks after things, and stops while apps and nginx go on."""

import fcntl
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

from pushdeploy.access.audit_log import AuditLog, local_user
from pushdeploy.context import BackEnds, Context
from pushdeploy.domain.errors import Busy, PushdeployError
from pushdeploy.domain.names import AppName
from pushdeploy.instance import Home, read_instance
from pushdeploy.no_room import no_room_at, no_room_behind
from pushdeploy.reserve import Reserve
from pushdeploy.settings import Settings
from pushdeploy.ssh.server import SshServer
from pushdeploy.upkeep.leftovers import Leftovers
from pushdeploy.wiring import Wiring

_log = logging.getLogger(__name__)

FINISHING_SECONDS = 60
"""How long a stopping server waits for deploys past their point of no return."""

CLEANING_SECONDS = 3600

BLIND_GRACE_SECONDS = 5
"""For tasks that have never seen their disks, and could write nothing there."""


def serve(settings: Settings) -> NoReturn:
    """Run the server in the foreground until SIGTERM or SIGINT; the process ends with 0 then."""
    _log_to_stderr()
    home = Home(settings.home)
    instance = read_instance(home.root)
    stopping, asked_to_stop = threading.Event(), _asked_to_stop()
    with _only_server(home):
        _give_up_reserve(home)
        wiring = Wiring(settings, home, instance)
        context, ssh = wiring.context, wiring.ssh
        audit_log = AuditLog(context.store.audit)
        audit_log.begin_anew()
        with audit_log.act(local_user(), "pushdeploy serve") as act:
            _startup(context, ssh, stopping)
            os.read(asked_to_stop, 1)
            stopping.set()
            _shutdown(context, ssh)
            act.exit_status = 0
        context.store.close()
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


def _startup(context: Context, ssh: SshServer, stopping: threading.Event) -> None:
    """Where the home cannot be written to, ssh is what leads out of that: the rest is left."""
    back, flow, upkeep = context.back_ends, context.flow, context.upkeep
    upkeep.host_rules.set_up()
    waiting: list[AppName] = []
    for what, begin in (
        ("what pushes left", back.repositories.sweep),
        ("what builds left", back.builder.sweep),
        ("disks with sizes", lambda: _mount_disks(back)),
        ("nginx", back.router.start),
        ("what a killed server left", lambda: waiting.extend(upkeep.recovery.recover())),
        ("rehearsals", back.rehearsals.sweep),
        ("routes", lambda: upkeep.reconciler.route_all(waiting)),
        ("promotions that were cut short", flow.promoter.take_back.recover),
    ):
        with _borne(what, context.settings):
            begin()
    address = ssh.start()
    threading.Thread(
        target=back.router.watch, args=[stopping.is_set], name="nginx", daemon=True
    ).start()
    threading.Thread(
        target=upkeep.reconciler.watch, args=[stopping], name="watch", daemon=True
    ).start()
    look_after(_upkeep(context), context.settings.upkeep_seconds, stopping)
    threading.Thread(
        target=back.repositories.look_over, args=[stopping], name="repositories", daemon=True
    ).start()
    threading.Thread(
        target=_clean, args=[upkeep.leftovers, stopping], name="leftovers", daemon=True
    ).start()
    sys.stdout.write(f"ready ssh={address} http={context.settings.http}\n")
    sys.stdout.flush()


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


def _give_up_reserve(home: Home) -> None:
    """So that what frees room can be typed. Said in any case."""
    lack = no_room_at(home.root)
    if lack is None:
        Reserve(home.root).keep()
        return
    _log.error("%s; %s", lack.message, lack.hint)
    if Reserve(home.root).give_up():
        _log.warning("the reserve for this is free now: make room soon")


def _upkeep(context: Context) -> Mapping[str, Callable[[], object]]:
    """What nobody asks for, and is to be done again and again."""
    audit_log, settings = AuditLog(context.store.audit), context.settings
    return {
        "the rules that close this host": context.upkeep.host_rules.renew,
        "what containers have written": context.upkeep.written_layers.bound,
        "nginx's logs": context.back_ends.router.rotate_logs,
        "the audit log": lambda: audit_log.prune(
            settings.keep_audit_days, settings.keep_audit_rows
        ),
        "the reserve": Reserve(settings.home).keep,
    }


def look_after(
    chores: Mapping[str, Callable[[], object]], pause_seconds: float, stopping: threading.Event
) -> None:
    """Do each of them again and again until ``stopping``, in a thread of its own: one that takes
    long, or goes wrong, keeps nobody from the others."""
    for what, chore in chores.items():
        threading.Thread(
            target=_again, args=[what, chore, pause_seconds, stopping], name=what, daemon=True
        ).start()


def _again(
    what: str, chore: Callable[[], object], pause_seconds: float, stopping: threading.Event
) -> None:
    while not stopping.wait(pause_seconds):
        try:
            chore()
        except PushdeployError as error:
            _log.warning("%s: not looked after: %s", what, error.message)
        except Exception:  # noqa: BLE001 - a loop that must outlive one bad turn
            _log.exception("%s: not looked after", what)


def _clean(leftovers: Leftovers, stopping: threading.Event) -> None:
    """What killed builds and destroyed apps have left: now, and each hour."""
    leftovers.begin()
    while not stopping.wait(CLEANING_SECONDS):
        leftovers.remove()


def _mount_disks(back: BackEnds) -> None:
    """Those with sizes. What the engine started by itself at a boot looks past them, and goes.

    The reconciler starts it anew.
    """
    apps = {app for app, _ in back.disks.quota.ensure_all()}
    if apps:
        blind = [task for app in sorted(apps) for task in back.scheduler.tasks(app)]
        back.scheduler.stop(blind, BLIND_GRACE_SECONDS)


def _shutdown(context: Context, ssh: SshServer) -> None:
    """Take no more requests, let committed deploys end; apps and nginx go on serving."""
    _log.info("stopping: apps and nginx go on serving")
    context.locks.apps.close("the server is being stopped")
    context.back_ends.rehearsals.close("the server is being stopped", FINISHING_SECONDS)
    if not context.locks.apps.wait_until_free(FINISHING_SECONDS):
        _log.warning("a deploy is still going on; it is undone at the next start")
    ssh.stop()


@contextmanager
def _only_server(home: Home) -> Iterator[None]:
    """Hold the home for this process: ``Busy`` where another server has it."""
    descriptor = _opened(home.pid_file)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            number = "".join(filter(str.isdecimal, os.pread(descriptor, 20, 0).decode("latin-1")))
            raise Busy(
                f"process {number or 'unknown'} serves {home.root} already",
                "stop it first, or give this one a home of its own: PUSHDEPLOY_HOME",
            ) from error
        try:
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
            os.ftruncate(descriptor, len(f"{os.getpid()}\n"))
        except OSError:  # it is the lock that counts
            _log.warning("%s cannot be written and does not name this process", home.pid_file)
        yield
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    """For reading alone where nothing can be written; the home itself where there is no file."""
    for place, flags in ((path, os.O_RDWR | os.O_CREAT), (path, os.O_RDONLY)):
        with suppress(OSError):
            return os.open(place, flags | os.O_CLOEXEC, 0o644)
    return os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _log_to_stderr() -> None:
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        force=True,
    )
    for chatty in ("paramiko", "urllib3", "docker", "alembic", "dulwich"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
