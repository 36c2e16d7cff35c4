"""A server for measuring: our ssh and our git as in production, with deploys that do nothing.

python -m benchmarks.host DIRECTORY: says where it listens, serves until its input ends. The
directory holds ``key.pub`` of who may log in, and gets the repositories.
"""

import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pushdeploy.commands.session import Session
from pushdeploy.domain.asker import Asker
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import Busy, UnknownApp
from pushdeploy.domain.names import AppName, KeyName
from pushdeploy.domain.need import Need
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.public_key import PublicKey
from pushdeploy.domain.push import Push
from pushdeploy.domain.source import Source
from pushdeploy.receive.limits import PackLimits
from pushdeploy.receive.repositories import Repositories
from pushdeploy.receive.service import GitService
from pushdeploy.settings import Address
from pushdeploy.ssh.keys import create_host_key
from pushdeploy.ssh.server import SshServer
from tests.unit.ssh.host import NoAuditLog

LINES = 200
LINE_PAUSE_SECONDS = 0.005
WAITS_SECONDS = 60
PIECE_BYTES = 128 * 1024
"""As cat reads."""


def main() -> int:
    root = Path(sys.argv[1])
    key = PublicKey.parse(KeyName("bench"), (root / "key.pub").read_text())
    create_host_key(root / "host_key")
    repositories = Repositories(root / "repositories")
    git = GitService(repositories, NoDeploy(repositories), PackLimits(), OpenGate())
    server = SshServer(
        Address("127.0.0.1", 0),
        root / "host_key",
        lambda kind, encoded: key.name if (kind, encoded) == (key.kind, key.base64) else None,
        run_command,
        git.serve,
        NoAuditLog(),
    )
    sys.stdout.write(f"{server.start()}\n")
    sys.stdout.flush()
    sys.stdin.read()
    server.stop()
    return 0


def run_command(command: str, session: Session) -> int:
    """``true``; ``sink`` takes its input and drops it; ``pour PATH`` sends a file."""
    name, _, argument = command.partition(" ")
    if name == "sink":
        while session.read(PIECE_BYTES):
            pass
    elif name == "pour":
        with Path(argument).open("rb") as file:
            while data := file.read(PIECE_BYTES):
                session.write(data)
    return 0 if name in {"true", "sink", "pour"} else 127


class OpenGate:
    """The port ``AccessGate``: everybody may do everything."""

    def check(
        self, by: KeyName, need: Need | None, act: str, app: AppName | None = None
    ) -> None: ...


class NoDeploy:
    """The port ``PushReceiver``: keeps the objects and moves the ref, as every deploy must.

    Apps called ``lines-…`` and ``waits-…`` do that first which they are called after.
    """

    def __init__(self, repositories: Repositories) -> None:
        self._repositories = repositories

    def open(self, app: AppName) -> Sequence[str]:
        """Every app is welcome."""
        del app
        return ()

    def missing(self, app: AppName) -> UnknownApp:
        return UnknownApp(app)

    def abandon(self, app: AppName) -> None:
        """Nothing is kept of an app but its repository."""

    def deploy_branch(self, app: AppName, offered: Sequence[str]) -> str:
        del app, offered
        return "main"

    def deploy(self, push: Push, source: Source, asker: Asker) -> None:
        asker.output.line(f"-----> Deploying {push.app}")
        _ACTS.get(push.app.partition("-")[0], _nothing)(asker.output, asker.cancellation)
        asker.cancellation.commit()
        source.reader.keep()
        if not self._repositories.move(push.app, push.ref, push.old, source.commit):
            raise Busy("fetch first: another push was faster")


def _nothing(output: Output, cancellation: Cancellation) -> None:
    del output, cancellation


def _lines(output: Output, cancellation: Cancellation) -> None:
    """Each says when it was written."""
    del cancellation
    for _ in range(LINES):
        time.sleep(LINE_PAUSE_SECONDS)
        output.line(f"written-at {time.time_ns()}")


def _waits(output: Output, cancellation: Cancellation) -> None:
    """For a cancel, as a build does."""
    stopped = threading.Event()
    with cancellation.stopping(stopped.set):
        output.line("waiting")
        stopped.wait(WAITS_SECONDS)
    cancellation.check()


_ACTS: Mapping[str, Callable[[Output, Cancellation], None]] = {"lines": _lines, "waits": _waits}

if __name__ == "__main__":
    sys.exit(main())
