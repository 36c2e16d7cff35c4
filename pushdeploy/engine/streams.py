"""The calls whose bytes flow for a while: attached terminals, logs, archives, Docker's events."""

import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Literal

import requests

from pushdeploy.domain.container import EngineEvent, LogLine
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.engine.connection import Connection, Stream, hang_up, socket_of
from pushdeploy.engine.errors import answering
from pushdeploy.engine.frames import frames, lines_of_terminal, log_lines
from pushdeploy.engine.payloads import INSTANCE_LABEL

_ACTIONS = ("start", "die", "destroy", "oom")
_RECONNECT_SECONDS = 1.0
_UPGRADE = {"Connection": "Upgrade", "Upgrade": "tcp"}


class ContainerStreams(Connection):
    """Calls whose answers are read while they are still being made."""

    def attach(self, container: str, tty: bool) -> "AttachedSocket":
        response = self.request(
            "POST",
            f"/containers/{container}/attach",
            f"attach to {container[:12]}",
            params={"stream": 1, "stdin": 1, "stdout": 1, "stderr": 1},
            headers=_UPGRADE,
            stream=True,
            timeout_seconds=None,
        )
        return AttachedSocket(response, tty=tty)

    @contextmanager
    def logs(
        self, container: str, *, tail: int | None = None, follow: bool = False
    ) -> Iterator[Iterator[LogLine]]:
        doing = f"read the logs of {container[:12]}"
        with answering(doing):
            tty = bool(self.api.inspect_container(container)["Config"]["Tty"])
        stream = Stream(
            self.request(
                "GET",
                f"/containers/{container}/logs",
                doing,
                params={
                    "stdout": 1,
                    "stderr": 1,
                    "timestamps": 1,
                    "follow": int(follow),
                    "tail": "all" if tail is None else tail,
                },
                stream=True,
                timeout_seconds=None,
            ),
            doing,
        )
        try:
            parts = lines_of_terminal(stream.chunks()) if tty else frames(stream.read)
            yield log_lines(parts)
        finally:
            stream.close()

    def put_archive(self, container: str, path: str, tar: Iterable[bytes]) -> None:
        self.request(
            "PUT",
            f"/containers/{container}/archive",
            f"put files into {container[:12]}",
            params={"path": path},
            data=iter(tar),
        )

    @contextmanager
    def get_archive(self, container: str, path: str) -> Iterator[Iterator[bytes]]:
        doing = f"take {path} from {container[:12]}"
        stream = Stream(
            self.request(
                "GET",
                f"/containers/{container}/archive",
                doing,
                params={"path": path},
                stream=True,
            ),
            doing,
        )
        try:
            yield iter(stream.chunks(256 * 1024))
        finally:
            stream.close()

    @contextmanager
    def events(self) -> Iterator[Iterator[EngineEvent]]:
        """Miss no event after entering while the connection holds; ``connected`` comes first.

        Where Docker does not answer, the iterator waits until it does.
        """
        feed = _EventFeed(self)
        feed.connect()
        try:
            yield feed.items()
        finally:
            feed.close()


class AttachedSocket:
    """A hijacked connection (Engine API, "Attach to a container"). One reader, one writer."""

    def __init__(self, response: requests.Response, *, tty: bool) -> None:
        connection = socket_of(response)
        if connection is None:
            raise PushdeployError("Docker ended the attached connection at once")
        connection.settimeout(None)
        self._response = response
        self._socket = connection
        self._tty = tty
        self._frames = frames(self._exactly)

    def read(self) -> tuple[Literal[1, 2], bytes] | None:
        if not self._tty:
            return next(self._frames, None)
        data = self._receive(65536)
        return (1, data) if data else None

    def write(self, data: bytes) -> None:
        """Write to the process; what one that has ended would have read is dropped."""
        with suppress(OSError):
            self._socket.sendall(data)

    def end_input(self) -> None:
        """Send ^D on a terminal; else close our half of the connection."""
        if self._tty:
            self.write(b"\x04")
            return
        with suppress(OSError):
            self._socket.shutdown(1)

    def close(self) -> None:
        hang_up(self._socket)
        self._response.close()

    def _exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size and (more := self._receive(size - len(data))):
            data += more
        return bytes(data)

    def _receive(self, most: int) -> bytes:
        try:
            return self._socket.recv(most)
        except OSError:
            return b""


class _EventFeed:
    """Events over one connection after another, until closed."""

    def __init__(self, engine: ContainerStreams) -> None:
        self._engine = engine
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._stream: Stream | None = None

    def connect(self) -> bool:
        doing = "tell its events"
        filters = {
            "type": ["container"],
            "event": list(_ACTIONS),
            "label": [f"{INSTANCE_LABEL}={self._engine.instance}"],
        }
        try:
            response = self._engine.request(
                "GET",
                "/events",
                doing,
                params={"filters": json.dumps(filters)},
                stream=True,
                timeout_seconds=None,
            )
        except PushdeployError:
            return False
        with self._lock:
            self._stream = Stream(response, doing)
            if self._closed.is_set():
                self._stream.close()
        return True

    def items(self) -> Iterator[EngineEvent]:
        while not self._closed.is_set():
            if self._stream is not None or self.connect():
                yield EngineEvent("connected", "", {})
                yield from self._until_it_breaks()
            if not self._closed.is_set():
                self._closed.wait(_RECONNECT_SECONDS)

    def close(self) -> None:
        with self._lock:
            self._closed.set()
            stream = self._stream
        if stream is not None:
            stream.close()

    def _until_it_breaks(self) -> Iterator[EngineEvent]:
        stream = self._stream
        if stream is None:
            return
        rest = b""
        try:
            for chunk in stream.chunks():
                *whole, rest = (rest + chunk).split(b"\n")
                yield from (_event(json.loads(line)) for line in whole if line.strip())
        except PushdeployError:
            return  # Docker went away; the caller connects again
        finally:
            stream.close()
            self._stream = None


def _event(said: dict[str, Any]) -> EngineEvent:
    actor = said["Actor"]
    return EngineEvent(said["Action"], actor["ID"], actor.get("Attributes") or {})
