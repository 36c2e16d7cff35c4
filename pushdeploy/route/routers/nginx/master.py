"""The master process of our nginx is started detached, found again, reloaded and stopped."""

import logging
import os
import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pushdeploy.domain.errors import BackendDown
from pushdeploy.route.deadline import until
from pushdeploy.route.routers.nginx.kept_files import remove
from pushdeploy.route.routers.nginx.prefix import MAIN, Prefix
from pushdeploy.route.routers.nginx.program import find_program
from pushdeploy.route.routers.nginx.workers import (
    children_of,
    is_idle,
    is_master,
    is_stopped,
    is_worker,
    master_in,
    takes_connections,
    title,
    workers_in,
    workers_of,
)

_log = logging.getLogger(__name__)

_ALARM = re.compile(r"^.*?\[emerg\] (\d+#\d+: )?")
_START_SECONDS = 15
_RELOAD_SECONDS = 60
_ORPHAN_SECONDS = 3


@dataclass(frozen=True, slots=True)
class Reload:
    """``left_behind``: workers with the former configuration; ``at``: when they stopped taking
    new connections, by the monotonic clock."""

    left_behind: frozenset[int]
    at: float

    def gone(self) -> bool:
        """Tell whether no worker knows the former configuration any more."""
        return not any(is_worker(pid) for pid in self.left_behind)


class ReloadRefused(Exception):
    """A refused nginx goes on with what it had; the lines are its own."""

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("nginx did not take the new configuration")
        self.lines = lines


class Master:
    """This is one nginx, which works in its prefix. Not thread-safe: the caller holds a lock."""

    def __init__(self, prefix: Prefix, chosen: Path | None) -> None:
        """``chosen`` as for ``find_program``; looked for when nginx is needed."""
        self._prefix = prefix
        self._chosen = chosen

    @property
    def pid(self) -> int | None:
        """The number of the process, None while it does not run.

        Another program's pid in the file is not taken for it.
        Where the file has been damaged, the process itself is looked for.
        """
        try:
            pid = int(self._prefix.pid_file.read_text(errors="replace"))
        except NotADirectoryError:
            return None
        except (OSError, ValueError):
            return master_in(self._prefix.root)
        return pid if is_master(pid, self._prefix.root) else master_in(self._prefix.root)

    @property
    def program(self) -> Path:
        """The very program that runs, though an upgrade has replaced its file; else a new one."""
        pid = self.pid
        return Path(f"/proc/{pid}/exe") if pid else find_program(self._chosen)

    def test(self, config: str) -> Sequence[str]:
        """List what nginx has against this main file; nothing when it would take it."""
        answer = self._run("-t", "-q", "-c", config)
        return _complaints(answer.stderr) if answer.returncode else []

    def start(self) -> None:
        """Start nginx; ``BackendDown`` has its own words. Nothing happens when it runs."""
        if self.pid is not None:
            return
        self._retire_orphans()
        self._prefix.control_socket.unlink(missing_ok=True)
        self._prefix.http2_control_socket.unlink(missing_ok=True)
        self._prefix.page_socket.unlink(missing_ok=True)
        remove(self._prefix.pid_file)
        answer = self._run("-c", MAIN)
        if not answer.returncode:
            until(lambda: self._serving() or self._has_ended(), _START_SECONDS)
        if answer.returncode or not self._serving():
            raise BackendDown(
                f"nginx does not start: {_complaints(answer.stderr)[0]}",
                f"its words are in {self._prefix.error_log}; PUSHDEPLOY_HTTP sets another port",
            )

    def reload(self) -> Reload:
        """Returns when only workers with the present files take connections.

        ``ReloadRefused`` when nginx goes on with the former ones. Starts an nginx that is down.
        """
        pid = self.pid
        if pid is None:
            self.start()
            return Reload(frozenset(), time.monotonic())
        self.go_on()
        until(lambda: is_idle(pid), _START_SECONDS)
        old = children_of(pid)
        log_end = self._log_size()
        os.kill(pid, signal.SIGHUP)
        until(lambda: _taken(pid, old) or bool(self._alarms(pid, log_end)), _RELOAD_SECONDS)
        if not _taken(pid, old):
            raise ReloadRefused(self._alarms(pid, log_end) or ["nginx did not follow the signal"])
        return Reload(old, time.monotonic())

    def reopen_logs(self) -> None:
        """Write to the names of the logs, whatever has become of the files. Soon, not at once."""
        pid = self.pid
        if pid is not None:
            os.kill(pid, signal.SIGUSR1)

    def go_on(self) -> None:
        """A master that somebody has stopped (SIGSTOP) replaces no worker and hears no signal."""
        pid = self.pid
        if pid is not None and is_stopped(pid):
            _log.error("nginx (process %d) was stopped: it goes on", pid)
            os.kill(pid, signal.SIGCONT)

    def left_behind(self) -> Reload:
        """The workers that earlier reloads left and that are still there."""
        pid = self.pid
        leaving = [worker.pid for worker in workers_of(pid) if worker.leaving] if pid else []
        return Reload(frozenset(leaving), time.monotonic())

    def stop(self) -> None:
        """End nginx at once, with whatever it still serves."""
        pid = self.pid
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
            until(lambda: not title(pid).startswith("nginx:"), _START_SECONDS)
        for worker in workers_in(self._prefix.root):
            _signal(worker.pid, signal.SIGKILL)

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """nginx with a clean environment, in its directory.

        It leaves the session by itself once it has its sockets; so its exit code tells. Output
        goes through a file: the daemon would hold a pipe open.
        """
        with tempfile.TemporaryFile(dir=self._prefix.logs) as words:
            code = subprocess.run(
                [self.program, "-p", "./", *arguments],
                cwd=self._prefix.root,
                stdin=subprocess.DEVNULL,
                stdout=words,
                stderr=words,
                start_new_session=True,
                env={},
                umask=0o022,
                timeout=_RELOAD_SECONDS,
                check=False,
            ).returncode
            words.seek(0)
            said = words.read().decode(errors="replace")
        return subprocess.CompletedProcess(arguments, code, "", said)

    def _retire_orphans(self) -> None:
        """A killed master leaves workers that hold its ports: they finish what they have."""
        for worker in workers_in(self._prefix.root):
            _signal(worker.pid, signal.SIGQUIT)
        until(lambda: all(w.leaving for w in workers_in(self._prefix.root)), _ORPHAN_SECONDS)
        for worker in workers_in(self._prefix.root):
            if not worker.leaving:
                _signal(worker.pid, signal.SIGKILL)

    def _serving(self) -> bool:
        pid = self.pid
        return pid is not None and any(not worker.leaving for worker in workers_of(pid))

    def _has_ended(self) -> bool:
        """Tell whether the one that has written its pid is gone already."""
        try:
            return not title(int(self._prefix.pid_file.read_text()))
        except (OSError, ValueError):
            return False

    def _log_size(self) -> int:
        log = self._prefix.error_log
        return log.stat().st_size if log.exists() else 0

    def _alarms(self, pid: int, start: int) -> Sequence[str]:
        """What the master says in its log since ``start`` of files that it cannot use."""
        if self._log_size() <= start:
            return []
        with self._prefix.error_log.open("rb") as log:
            log.seek(start)
            lines = log.read().decode(errors="replace").splitlines()
        own = [line for line in lines if f"[emerg] {pid}#" in line]
        return _complaints("\n".join(own)) if own else []


def _taken(master: int, old: frozenset[int]) -> bool:
    """Asks first what costs nothing: a look at all processes takes milliseconds."""
    if any(takes_connections(pid) for pid in old):
        return False
    return any(worker.pid not in old and not worker.leaving for worker in workers_of(master))


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _complaints(text: str) -> Sequence[str]:
    """What it cannot go on with, each once: nginx repeats a failed bind several times."""
    alarms = [_ALARM.sub("", line) for line in text.splitlines() if _ALARM.match(line)]
    lines = alarms or [line for line in text.splitlines() if line.strip()]
    return [line.replace("./", "") for line in dict.fromkeys(lines)] or ["nginx says nothing"]
