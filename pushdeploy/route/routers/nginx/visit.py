"""``complaint`` asks through nginx, as a visitor would, whether an app's tasks answer."""

import http.client
import os
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import Cancelled
from pushdeploy.domain.names import AppName, HostName
from pushdeploy.settings import Address

ERROR_HEADER = "X-Pushdeploy-Error"
"""On the pages that are nginx's own, never on an app's."""

_PROXY_LINE = b"PROXY UNKNOWN\r\n"
"""Of a proxy that asks for itself: the PROXY protocol, section 2.1."""

_TOO_SLOW = "nginx answers 504"
_ATTEMPTS = 3
_PAUSE_SECONDS = 0.3
_ANSWER_SECONDS = 70
"""More than nginx itself waits for an app, so that nginx's verdict is heard."""

_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - addresses to leave, not to bind


@dataclass(frozen=True, slots=True)
class Entrance:
    """A visit to ``app`` comes in where its visitors do, at ``address`` by ``host``; ``secure`` is
    by https, for plain http may lead elsewhere.

    ``behind`` is nginx's own socket, where one goes in whose door would answer in place of the app.
    ``proxy_protocol``: a connection to ``address`` begins with a PROXY line.
    """

    app: AppName
    host: HostName
    address: Address
    behind: Path | None = None
    proxy_protocol: bool = False
    secure: bool = False

    def connection(self) -> http.client.HTTPConnection:
        if self.behind is not None:
            return _ByPath(self.behind)
        where = _ANYWHERE.get(self.address.host, self.address.host)
        if self.secure:
            return _Secure(where, self.address.port, self._asked, self.greeting)
        return http.client.HTTPConnection(where, self.address.port, timeout=_ANSWER_SECONDS)

    @property
    def greeting(self) -> bytes:
        return _PROXY_LINE if self.proxy_protocol and self.behind is None else b""

    @property
    def _asked(self) -> str:
        """A wildcard stands for any name."""
        return self.host.replace("*", "probe", 1)

    @property
    def headers(self) -> Mapping[str, str]:
        named = {"X-Pushdeploy-App": str(self.app)} if self.behind is not None else {}
        return {"Host": self._asked, "User-Agent": "pushdeploy", **named}


def complaint(entrance: Entrance, fallen: Cancellation | None = None) -> str:
    """Empty when a task answers, whatever it says; else what is wrong.

    Asked up to three times: a task may drop its very first connection. Not any more when nginx has
    waited for an answer as long as it would for a visitor; and an answer is not waited for when
    ``fallen`` says that the task has.
    """
    fallen = fallen or Cancellation()
    said = ""
    for attempt in range(_ATTEMPTS):
        time.sleep(_PAUSE_SECONDS if attempt else 0)
        said = _ask(entrance, fallen)
        if not said or fallen.cancelled or _TOO_SLOW in said:
            return said
    return said


def _ask(entrance: Entrance, fallen: Cancellation) -> str:
    connection = entrance.connection()
    try:
        connection.connect()
        if not entrance.secure:
            connection.sock.sendall(entrance.greeting)
        with fallen.stopping(lambda: _hang_up(connection.sock)):
            connection.request("GET", "/", headers=dict(entrance.headers))
            answer = connection.getresponse()
    except Cancelled as error:
        return error.message
    except (OSError, http.client.HTTPException) as error:
        return f"nginx did not answer: {error}"
    else:
        code = answer.getheader(ERROR_HEADER)
        return f"nginx answers {code} in its place{_why(answer)}" if code else ""
    finally:
        connection.close()


class _Secure(http.client.HTTPConnection):
    """The host is asked for by TLS as well, and any certificate does: the app is asked for."""

    def __init__(self, where: str, port: int, host: str, greeting: bytes) -> None:
        super().__init__(where, port, timeout=_ANSWER_SECONDS)
        self._host_name = host
        self._greeting = greeting

    def connect(self) -> None:
        super().connect()
        self.sock.sendall(self._greeting)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.sock = context.wrap_socket(self.sock, server_hostname=self._host_name)


def _why(page: http.client.HTTPResponse) -> str:
    """The title of nginx's page, which begins with the status."""
    with suppress(OSError, http.client.HTTPException):
        title = page.read(1000).decode(errors="replace").partition("\n")[0].partition(" ")[2]
        return f": {title[:1].lower()}{title[1:]}" if title else ""
    return ""


class _ByPath(http.client.HTTPConnection):
    """To a unix socket, by a short name of its directory: unix(7) has room for 108 bytes."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_ANSWER_SECONDS)
        self._path = path

    def connect(self) -> None:
        directory = os.open(self._path.parent, os.O_PATH | os.O_DIRECTORY)
        try:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(_ANSWER_SECONDS)
            self.sock.connect(f"/proc/self/fd/{directory}/{self._path.name}")
        finally:
            os.close(directory)


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
