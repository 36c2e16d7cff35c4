"""A health check asks a task by HTTP at its own address; another thread may cut it short."""

import http.client
import socket
import threading
from contextlib import suppress
from urllib.parse import quote

from pushdeploy.run.health import Answer

NOT_LISTENING = Answer(problem="nothing listens")

AGENT = "pushdeploy-healthcheck"
"""How a check names itself, and what access logs may have of it."""

_CLOSED = "the connection is closed without an answer"
_CONNECT_SECONDS = 1.0
_HEADER_BYTES = 256 * 1024
"""What nginx takes of one answer, by templates/nginx."""

_BODY_BYTES = 256 * 1024


class HttpCheck:
    """Asks as often as it is told to, until aborted."""

    def __init__(self, address: str, port: int, host: str) -> None:
        self._address = address
        self._port = port
        self._host = host
        self._lock = threading.Lock()
        self._aborted = False
        self._socket: socket.socket | None = None

    def ask(self, path: str, timeout_seconds: float, *, body: bool) -> Answer:
        """Ask once: ``NOT_LISTENING`` when nothing accepts; redirects are answers, not followed.

        The body is read where it is wanted only: it may be a stream without an end.
        """
        if not self._address:
            return NOT_LISTENING
        try:
            connection = socket.create_connection(
                (self._address, self._port), timeout=_CONNECT_SECONDS
            )
        except OSError:
            return NOT_LISTENING
        with connection:
            connection.settimeout(timeout_seconds)
            if not self._remember(connection):
                return NOT_LISTENING
            try:
                return self._converse(connection, path, body=body)
            except TimeoutError:
                return Answer(problem=f"no answer within {timeout_seconds:g} s", timed_out=True)
            except (OSError, http.client.HTTPException) as error:
                closed = isinstance(error, OSError)
                return Answer(problem=_CLOSED if closed else "what comes back is not HTTP")

    def abort(self) -> None:
        """End the request that is going on, and all later ones at once."""
        with self._lock:
            self._aborted = True
            if self._socket is not None:
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)

    def _remember(self, connection: socket.socket) -> bool:
        with self._lock:
            self._socket = connection
            return not self._aborted

    def _converse(self, connection: socket.socket, path: str, *, body: bool) -> Answer:
        request = (
            f"GET {target_of(path)} HTTP/1.1\r\nHost: {self._host}\r\nAccept: */*\r\n"
            f"User-Agent: {AGENT}\r\nConnection: close\r\n\r\n"
        )
        connection.sendall(request.encode())
        response = http.client.HTTPResponse(connection, method="GET")
        try:
            response.begin()
        except http.client.HTTPException:
            if not isinstance(response.status, int):
                raise
            return _of_many_headers(response, response.status)
        text = response.read(_BODY_BYTES).decode(errors="replace") if body else ""
        return Answer(response.status, text)


def _of_many_headers(response: http.client.HTTPResponse, status: int) -> Answer:
    """What nginx hands out all the same is an answer: http.client takes fewer headers."""
    left = _HEADER_BYTES
    while left > 0:
        line = response.fp.readline(left)
        left -= len(line)
        if line in {b"\r\n", b"\n"}:
            return Answer(status)
        if not line:
            return Answer(problem=_CLOSED)
    return Answer(problem=f"the headers of its answer are larger than {_HEADER_BYTES // 1024} KB")


def target_of(path: str) -> str:
    """Return ``path`` as a request line takes it, whatever app.json said."""
    return "/" + quote(path.lstrip("/"), safe="/?&=%:@!$'()*+,;~")
