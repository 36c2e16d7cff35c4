"""A git server on a unix socket, as the ssh server would be, and a receiver that records."""

import contextlib
import os
import select
import shlex
import socket
import threading
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import Busy, UnknownApp, UserError
from pushdeploy.domain.names import AppName, CommitId, KeyName
from pushdeploy.domain.need import Need
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.push import Push
from pushdeploy.domain.source import Source
from pushdeploy.receive.repositories import Repositories
from pushdeploy.receive.service import GitService

DEADLINE_SECONDS = 20
ALICE = KeyName("alice")
APP = AppName("shop")


class BridgeSession:
    """What the ssh server offers, over the pipes of a git client on this machine."""

    def __init__(self, client: socket.socket, files: Sequence[int]) -> None:
        self.by = ALICE
        self.cancellation = Cancellation()
        self._client = client
        self._files = files
        self._gone = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def read(self, most: int = 65536) -> bytes:
        while not self._gone.is_set():
            if select.select([self._files[0]], [], [], 0.05)[0]:
                return os.read(self._files[0], most)
        return b""

    def write(self, data: bytes) -> None:
        self._write(self._files[1], data)

    def write_error(self, data: bytes) -> None:
        self._write(self._files[2], data)

    def close(self, status: int) -> None:
        for file in self._files:
            os.close(file)
        self._write(self._client.fileno(), str(status).encode())
        self._client.shutdown(socket.SHUT_RDWR)
        self._client.close()

    def _write(self, file: int, data: bytes) -> None:
        view = memoryview(data)
        while view and not self._gone.is_set():
            try:
                view = view[os.write(file, view) :]
            except BrokenPipeError:
                return

    def _watch(self) -> None:
        with contextlib.suppress(OSError):
            self._client.recv(1)
        self._gone.set()
        self.cancellation.cancel("the client has gone")


class OpenGate:
    """The port AccessGate: refuses what ``closed`` says, by need."""

    def __init__(self, closed: Container[Need | None] = ()) -> None:
        self._closed = closed

    def check(self, by: KeyName, need: Need | None, act: str, app: AppName | None = None) -> None:
        if need in self._closed:
            raise UserError(f"{by} may not {act}", "ask an admin of this server")


@dataclass
class Receiver:
    """The port PushReceiver, over a set of app names; ``deploying`` is what a deploy does."""

    repositories: Repositories
    apps: set[AppName] = field(default_factory=set)
    branch: str | None = None
    deployed: list[tuple[str, CommitId]] = field(default_factory=list)
    deploying: Callable[[Source, Output, Cancellation], None] | None = None
    refuses: str = ""

    def open(self, app: AppName) -> Sequence[str]:
        if self.refuses:
            raise UserError(self.refuses)
        new = app not in self.apps
        self.apps.add(app)
        return [f"-----> Made app {app}"] if new else ()

    def missing(self, app: AppName) -> UnknownApp:
        return UnknownApp(app)

    def abandon(self, app: AppName) -> None:
        self.apps.discard(app)

    def deploy_branch(self, app: AppName, offered: Sequence[str]) -> str:
        return self.branch or (
            "master" if "master" in offered and "main" not in offered else "main"
        )

    def deploy(self, push: Push, source: Source, asker: Asker) -> None:
        if self.deploying:
            self.deploying(source, asker.output, asker.cancellation)
        asker.cancellation.commit()
        source.reader.keep()
        if not self.repositories.move(push.app, push.ref, push.old, push.commit):
            raise Busy("fetch first: another push was faster")
        self.deployed.append((push.ref, push.commit))


class Host:
    """Serves a GitService on a unix socket; ``sessions`` are those that were served."""

    def __init__(self, folder: Path, service: GitService) -> None:
        self.address = folder / "git.sock"
        self.service = service
        self.sessions: list[BridgeSession] = []
        self.finished: list[int] = []
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.address))
        self._listener.listen(20)
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(DEADLINE_SECONDS)
            assert not thread.is_alive()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        command, files, _, _ = socket.recv_fds(client, 4096, 3)
        service, path = shlex.split(command.decode())
        session = BridgeSession(client, files)
        self.sessions.append(session)
        status = self.service.serve(service, path, session)
        self.finished.append(status)
        session.close(status)
