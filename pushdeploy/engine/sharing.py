"""Ordinary calls over one Unix socket share their connections; a streamed answer has its own."""

from collections.abc import Mapping
from typing import Any

import docker
import requests
from docker.transport import UnixHTTPAdapter

_SCHEME = "http+docker://"
_ONE_URL = f"{_SCHEME}localhost"


def share_connections(client: docker.APIClient) -> None:
    """Give a client one pool of connections: docker-py keeps one for each URL, thus for each
    container and each call about it, which makes every call of a deploy connect anew and costs
    us more processor time than the question itself.

    A client over TCP is left as it is.
    """
    adapter = client.get_adapter(client.base_url)
    if isinstance(adapter, UnixHTTPAdapter):
        client.mount(_SCHEME, SharingAdapter(adapter))


class SharingAdapter(UnixHTTPAdapter):
    """The adapter keeps one pool of connections for all URLs."""

    def __init__(self, former: UnixHTTPAdapter) -> None:
        super().__init__(former.socket_path, former.timeout, max_pool_size=former.max_pool_size)

    def get_connection(self, url: str | bytes, proxies: Mapping[str, str] | None = None) -> Any:
        del url
        return super().get_connection(_ONE_URL, proxies)

    def send(
        self, request: requests.PreparedRequest, stream: bool = False, *others: Any, **more: Any
    ) -> requests.Response:
        """The connection of a streamed answer ends with it. Whoever reads one may hang up at any
        time, also when it has just been read to its end: by then somebody else would have it."""
        if stream and request.headers.get("Connection") == "keep-alive":
            request.headers["Connection"] = "close"
        return super().send(request, stream, *others, **more)
