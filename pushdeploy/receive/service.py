"""The ssh server calls this service for git, which finds the app and runs the dialogue."""

import re
from collections.abc import Callable

from dulwich.errors import GitProtocolError, HangupException
from dulwich.protocol import pkt_line

from pushdeploy.domain.errors import PushdeployError, UserError
from pushdeploy.domain.names import AppName
from pushdeploy.domain.ports.access_gate import AccessGate
from pushdeploy.domain.ports.git_session import GitSession
from pushdeploy.domain.ports.push_receiver import PushReceiver
from pushdeploy.no_room import no_room_behind
from pushdeploy.receive.admission import Admission
from pushdeploy.receive.fetch import FetchDialogue
from pushdeploy.receive.git import Git
from pushdeploy.receive.limits import PackLimits
from pushdeploy.receive.messages import one_line
from pushdeploy.receive.push import AfterReceive, PushContext, PushDialogue, log_unforeseen
from pushdeploy.receive.pushed_apps import PushedApps
from pushdeploy.receive.repack import Repacker
from pushdeploy.receive.repositories import Repositories
from pushdeploy.receive.wire import BrokenProtocol, GitProtocol, Keepalive, PushProtocol, Wire

SILENCE_SECONDS = 5.0
DRAIN_SECONDS = 30.0

_PATH = re.compile(r"/?(.*?)(\.git)?/?", re.DOTALL)


class GitService:
    """A ``GitService`` serves pushes and fetches of the repositories.

    Thread-safe: one call per connection.
    """

    def __init__(
        self,
        repositories: Repositories,
        receiver: PushReceiver,
        limits: PackLimits,
        gate: AccessGate,
        after_receive: AfterReceive | None = None,
        *,
        silence_seconds: float = SILENCE_SECONDS,
    ) -> None:
        """``silence_seconds`` without output bring a sign of life, for routers in between."""
        self._repositories = repositories
        self._limits = limits
        self._gate = gate
        self._after_receive = after_receive or (lambda *_: None)
        self._silence_seconds = silence_seconds
        self._receiver = receiver
        self._pushed_apps = PushedApps(repositories, receiver)
        self._admission = Admission(repositories, receiver, limits, self._pushed_apps)
        self._repacker = Repacker(repositories)

    def serve(self, service: str, path: str, session: GitSession) -> int:
        """Serve one ``git-receive-pack`` or ``git-upload-pack`` of ``path``: the exit status."""
        wire = Wire(session)
        try:
            app = app_in(path)
            return self._dialogue(service)(app, session, wire)
        except HangupException:
            return 1
        except PushdeployError as error:
            _refuse(wire, _told(no_room_behind(error, self._repositories.root) or error))
        except Exception as error:  # noqa: BLE001 - the border: a client gets an answer, a log the traceback
            why = no_room_behind(error, self._repositories.root)
            _refuse(wire, _told(why) if why else log_unforeseen(None))
        finally:
            wire.flush()
        return 1

    def _dialogue(self, service: str) -> Callable[[AppName, GitSession, Wire], int]:
        dialogues = {"git-receive-pack": self._push, "git-upload-pack": self._fetch}
        if service not in dialogues:
            raise UserError(f"{service} is not served", "push, fetch and clone are")
        return dialogues[service]

    def _push(self, app: AppName, session: GitSession, wire: Wire) -> int:
        self._gate.check(session.by, "change", f"push to {app}", app)
        self._repositories.look_after(app)
        with self._pushed_apps.pushing(app) as greeting:
            context = PushContext(
                app,
                session,
                self._admission,
                self._after_receive,
                self._silence_seconds,
                greeting,
            )
            shallow = self._repositories.shallow(app)
            protocol = PushProtocol(wire, shallow, self._limits.commands)
            with self._repositories.opened(app, head=False) as repository:
                accepted = _converse(PushDialogue(context, repository, protocol, wire), session)
        if accepted and self._repositories.exists(app):
            self._repacker.consider(app)
        return 0 if accepted else 1

    def _fetch(self, app: AppName, session: GitSession, wire: Wire) -> int:
        self._gate.check(session.by, "read", f"fetch {app}", app)
        if not self._repositories.exists(app):
            raise self._receiver.missing(app)
        self._repositories.look_after(app)
        protocol = GitProtocol(wire, self._repositories.shallow(app))
        git = Git(self._repositories.path(app), self._limits)
        with self._repositories.opened(app) as repository:
            dialogue = FetchDialogue(app, repository, protocol, git)
            try:
                keepalive = Keepalive(wire, self._silence_seconds)
                served = dialogue.run(keepalive, session.cancellation)
            except HangupException:
                raise
            except GitProtocolError as error:
                raise BrokenProtocol(f"the client broke the git protocol: {error}") from error
        return 0 if served else 1


def app_in(path: str) -> AppName:
    """Take ``app``, ``/app``, ``app.git`` and ``/app/`` for the same, or raise ``UserError``."""
    found = _PATH.fullmatch(path)
    return AppName.parse(found[1] if found else path)


def _converse(dialogue: PushDialogue, session: GitSession) -> bool:
    """Run a push. One that is refused early is heard out, or its client could not read why."""
    try:
        accepted = dialogue.run()
    except HangupException:
        raise
    except (GitProtocolError, PushdeployError) as error:
        told = str(error)
        if not isinstance(error, PushdeployError):
            told = f"the client broke the git protocol: {error}"
        if not dialogue.abort(told):
            raise BrokenProtocol(told) from error
        accepted = False
    if not accepted:
        dialogue.incoming.drain(session.cancellation, DRAIN_SECONDS)
    return accepted


def _told(error: PushdeployError) -> str:
    return f"{error.message}: {error.hint}" if error.hint else error.message


def _refuse(wire: Wire, text: str) -> None:
    """Before anything else was said: ``fatal: remote error: text`` at the client."""
    wire.write(pkt_line(b"ERR " + one_line(text).encode() + b"\n"))
