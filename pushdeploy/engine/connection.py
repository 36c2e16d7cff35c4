"""All calls share one client, which is made when first needed; each stream has its connection."""

import os
import socket
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, Self
from urllib.parse import quote

import docker
import docker.utils
import requests
import urllib3

from pushdeploy.domain.errors import PushdeployError
from pushdeploy.engine.errors import answering, check
from pushdeploy.engine.sharing import share_connections

ANSWER_SECONDS = 120
"""How long Docker may take for an ordinary call; a busy machine takes its time to start things."""

TRANSFER_SECONDS = 900
"""How long it may take to swallow, write or hash an image's bytes."""

_DEFAULT_HOST = "unix:///var/run/docker.sock"
_POOL_SIZE = 64

_BROKEN = (PushdeployError, ValueError, AttributeError)
"""What a read raises when another thread closes the response under it."""


class Connection:
    """Holds the client that all parts of ``DockerEngine`` share. Thread-safe."""

    def __init__(self, instance: str, host: str | None = None) -> None:
        self.instance = instance
        self._host = host
        self._connecting = threading.Lock()
        self._client: docker.APIClient | None = None

    @property
    def api(self) -> docker.APIClient:
        """Raise ``BackendDown`` when no Docker answers to the first question, its API version."""
        with self._connecting:
            if self._client is None:
                with answering("connect"):
                    _knock(str(self.address().get("base_url") or _DEFAULT_HOST))
                    self._client = docker.APIClient(
                        **self.address(),
                        version="auto",
                        timeout=ANSWER_SECONDS,
                        max_pool_size=_POOL_SIZE,
                    )
                self._client.trust_env = False
                share_connections(self._client)
            return self._client

    def close(self) -> None:
        """Drop idle connections; the next call makes new ones."""
        with self._connecting:
            if self._client is not None:
                self._client.close()
                self._client = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def version(self) -> str:
        with answering("tell its version"):
            return str(self.api.version()["Version"])

    def address(self) -> dict[str, Any]:
        """Docker's address; its own variables decide where no host was set."""
        return {"base_url": self._host} if self._host else {**docker.utils.kwargs_from_env()}

    def request(
        self,
        method: str,
        path: str,
        doing: str,
        *,
        params: Mapping[str, object] | None = None,
        json: object = None,
        data: Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        stream: bool = False,
        timeout_seconds: float | None = TRANSFER_SECONDS,
    ) -> requests.Response:
        """Ask what docker-py has no method for: without a time-out, or with bytes as they come."""
        api = self.api
        with answering(doing):
            response = api.request(
                method,
                f"{api.base_url}/v{api.api_version}{quote(path, safe='/:')}",
                params=params,  # type: ignore[arg-type]  # any value that str() can print
                json=json,
                data=data,
                headers=headers,
                stream=stream,
                timeout=timeout_seconds,
            )
            check(response)
        return response


class Stream:
    """A response that is read as it comes and that any thread may close, ending a blocked read."""

    def __init__(self, response: requests.Response, doing: str) -> None:
        self._response = response
        self._doing = doing
        self._socket = socket_of(response)
        self._closed = threading.Event()

    @property
    def closed(self) -> bool:
        return self._closed.is_set()

    def read(self, size: int) -> bytes:
        """``size`` bytes; fewer at the end, none after it or after ``close``."""
        try:
            with answering(self._doing):
                data: bytes = self._response.raw.read(size)
                return data
        except _BROKEN:
            if not self.closed:
                raise
            return b""

    def chunks(self, size: int = 65536) -> Iterable[bytes]:
        """The bytes as they arrive."""
        try:
            with answering(self._doing):
                yield from self._response.raw.stream(size)
        except _BROKEN:
            if not self.closed:
                raise

    def close(self) -> None:
        self._closed.set()
        if self._socket is not None:
            hang_up(self._socket)
        self._response.close()


def _knock(url: str) -> None:
    """Raise ``OSError`` when nothing listens on a Unix socket; docker-py would leak one for
    each try.
    """
    scheme, _, path = url.partition("://")
    if scheme in {"unix", "http+unix"}:
        with socket.socket(socket.AF_UNIX) as door:
            door.connect("/" + path.lstrip("/"))


def socket_of(response: requests.Response) -> socket.socket | None:
    """A handle of our own on the connection under a streamed response; None when it has ended."""
    try:
        return socket.socket(fileno=os.dup(response.raw.fileno()))
    except (OSError, AttributeError, ValueError, urllib3.exceptions.HTTPError):
        return None


def hang_up(connection: socket.socket) -> None:
    """End the connection for every holder of a handle on it, then drop this handle."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
