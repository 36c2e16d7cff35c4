"""Runs the commands of clients, one thread a command; each ends with an exit status."""

import logging
import secrets
import shlex
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from pushdeploy.access.audit_log import AuditLog
from pushdeploy.commands.face.audited_lines import refused_line
from pushdeploy.commands.face.printing import output_of
from pushdeploy.commands.session import Session
from pushdeploy.domain.errors import BUG_STATUS, PushdeployError
from pushdeploy.domain.names import AppName
from pushdeploy.ssh.session_channel import SessionChannel

_SERVICES = ("git-receive-pack", "git-upload-pack", "git-upload-archive")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GitRequest:
    """``path`` stands as the client gave it, without the quotes."""

    service: str
    path: str

    @property
    def line(self) -> str:
        return f"{self.service} {shlex.quote(self.path[:80])}"

    @property
    def app(self) -> str | None:
        """Return the app that the path names, whether or not it exists."""
        name = self.path.strip("/").removesuffix(".git")
        return name if AppName.fits(name) else None


def git_request(command: str) -> GitRequest | None:
    """Parse a git client's command: ``git-receive-pack 'app'``, or ``git receive-pack 'app'``."""
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    if words[:1] == ["git"] and len(words) > 1:
        words[:2] = [f"git-{words[1]}"]
    if len(words) != 2 or words[0] not in _SERVICES:
        return None
    return GitRequest(words[0], words[1])


class CommandThreads:
    """``run_git`` gets git's services, ``run_command`` all other commands.

    ``audit_log`` is told of git and of refused keys; commands tell it themselves.
    """

    def __init__(
        self,
        run_command: Callable[[str, Session], int],
        run_git: Callable[[str, str, Session], int],
        audit_log: AuditLog,
    ) -> None:
        self._run_command = run_command
        self._run_git = run_git
        self._audit_log = audit_log
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()

    def begin(self, session: SessionChannel, command: str) -> None:
        """Start the command's thread, and return at once."""
        thread = threading.Thread(
            target=self._serve,
            args=(session, command),
            name=f"ssh command of {session.by}",
            daemon=True,
        )
        with self._lock:
            thread.start()
            self._threads.add(thread)

    def join(self, timeout_seconds: float) -> bool:
        """Wait for all threads, and return False when some are still at work."""
        deadline = time.monotonic() + timeout_seconds
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def _serve(self, session: SessionChannel, command: str) -> None:
        exit_status = BUG_STATUS
        try:
            exit_status = self._run(session, command)
        finally:
            session.finish(exit_status)
            with self._lock:
                self._threads.discard(threading.current_thread())

    def _run(self, session: SessionChannel, command: str) -> int:
        """Closes the hole of a connection that was opened before its key was removed."""
        request = git_request(command)
        try:
            self._check_key(session, command)
            if request is None:
                return self._run_command(command, session)
            session.raw_mode()
            with self._audit_log.act(session.by, request.line, request.app) as act:
                act.exit_status = self._run_git(request.service, request.path, session)
            return act.exit_status
        except PushdeployError as error:
            output_of(session).failure(error)
            return error.exit_status
        except Exception:  # noqa: BLE001 - the border of an ssh session
            return _confess(session, command)

    def _check_key(self, session: SessionChannel, command: str) -> None:
        try:
            session.check_key()
        except PushdeployError as error:
            self._audit_log.past(session.by, refused_line(command), error.exit_status)
            raise


def _confess(session: SessionChannel, command: str) -> int:
    """Only the command's name is logged: what follows it may be a secret."""
    incident = secrets.token_hex(4)
    name = (command.split() or ["(interactive)"])[0][:80]
    shown = name if name.isprintable() else repr(name)
    _log.exception("an ssh command failed id=%s by=%s command=%s", incident, session.by, shown)
    text = f" !     something went wrong inside pushdeploy; its log says what under {incident}\n"
    session.write_error(text.encode())
    return BUG_STATUS
