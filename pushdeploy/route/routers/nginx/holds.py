"""Each app whose requests are held has a holder, which is started, found and told from here."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from pushdeploy.domain.names import AppName
from pushdeploy.domain.route import Target
from pushdeploy.route.routers.nginx import holder
from pushdeploy.route.routers.nginx.prefix import Prefix
from pushdeploy.settings import Address

_BACKLOG = 4096
_ANSWER_SECONDS = 15
_IDLE_SECONDS = 15 * 60
"""After which a holder that nobody needs ends by itself."""


@dataclass(frozen=True, slots=True)
class Held:
    """A holder says this of itself. ``since``: seconds of the epoch; the counts: connections."""

    pid: int
    holding: bool
    since: float
    waiting: int
    relaying: int


class Holds:
    """``OSError`` from any method: a holder is there and does not answer, or cannot be started.

    One caller at a time for an app.
    """

    def __init__(
        self, prefix: Prefix, hold_seconds: float, idle_seconds: float = _IDLE_SECONDS
    ) -> None:
        self._prefix = prefix
        self._hold_seconds = hold_seconds
        self._idle_seconds = idle_seconds
        self._python = sys.executable

    def begin(self, app: AppName) -> None:
        """Requests that come to the app's socket wait from now on.

        Returns before a new holder has started: what comes meanwhile queues in its socket.
        """
        if self.tell(app, "hold") is None:
            self._start(app)

    def find(self, app: AppName) -> Held | None:
        """Find the holder of an app, waiting for one that is just starting; None without one."""
        return self.tell(app, "status")

    def runs(self, app: AppName) -> bool:
        """Tell whether a holder has the app's sockets; it may be just starting."""
        with self._directory() as directory, socket.socket(socket.AF_UNIX) as control:
            return control.connect_ex(f"{directory}/{app}.control") == 0

    def pass_on(self, app: AppName, targets: Sequence[Target]) -> None:
        """Let go what waits and whatever still comes; without targets all are shown the page."""
        self.tell(app, "pass", *(str(Address(each.address, each.port)) for each in targets))

    def finish(self, app: AppName) -> None:
        """The holder takes no more, and ends with the last request that it has."""
        self.tell(app, "finish")

    def end(self, app: AppName) -> None:
        """End a holder at once, with whatever it has."""
        self.tell(app, "end")

    def apps(self) -> Sequence[AppName]:
        """List the apps that have a holder, or had one that was killed."""
        return [AppName(path.stem) for path in self._prefix.holders.glob("*.control")]

    def tell(self, app: AppName, *words: str) -> Held | None:
        """Ask a holder; None when there is none, or it is just dying."""
        with self._directory() as directory, socket.socket(socket.AF_UNIX) as control:
            control.settimeout(_ANSWER_SECONDS)
            try:
                line = _ask(control, f"{directory}/{app}.control", " ".join(words))
            except (FileNotFoundError, ConnectionError):
                return None
        return Held(**json.loads(line)) if line else None

    def _start(self, app: AppName) -> None:
        """Its sockets are ours until it runs. It leaves our session and our children at once."""
        with (
            self._directory() as directory,
            _listening(f"{directory}/{app}.sock", 0o666) as requests,
            _listening(f"{directory}/{app}.control", 0o600) as control,
            self._prefix.holders_log.open("ab") as log,
        ):
            sockets = requests.fileno(), control.fileno()
            limits = str(self._hold_seconds), str(self._idle_seconds)
            python = [self._python, "-I", "-S", holder.__file__]
            subprocess.run(
                ["setsid", "--fork", *python, app, *limits, *map(str, sockets)],
                cwd=self._prefix.root,
                pass_fds=sockets,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={},
                timeout=_ANSWER_SECONDS,
                check=True,
            )

    @contextmanager
    def _directory(self) -> Iterator[str]:
        """A short name for it: a socket's path has room for 108 bytes (unix(7))."""
        try:
            number = os.open(self._prefix.holders, os.O_PATH | os.O_DIRECTORY)
        except FileNotFoundError:
            self._prefix.make()
            number = os.open(self._prefix.holders, os.O_PATH | os.O_DIRECTORY)
        try:
            yield f"/proc/self/fd/{number}"
        finally:
            os.close(number)


def _ask(control: socket.socket, path: str, line: str) -> bytes:
    control.connect(path)
    control.sendall(line.encode() + b"\n")
    with control.makefile("rb") as answer:
        return answer.readline()


@contextmanager
def _listening(path: str, mode: int) -> Iterator[socket.socket]:
    """In the place of one that a killed holder left."""
    with suppress(FileNotFoundError):
        os.unlink(path)  # noqa: PTH108 - a path by a descriptor
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        os.chmod(path, mode)  # noqa: PTH101 - a path by a descriptor
        server.listen(_BACKLOG)
        yield server
