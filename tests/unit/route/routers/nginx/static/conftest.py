"""A static site of a few files behind a real nginx, and whoever asks for them."""

import hashlib
import http.client
import io
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from pushdeploy.domain.names import AppName, HostName, ImageDigest
from pushdeploy.domain.published import StaticFolder
from pushdeploy.domain.route import Route
from pushdeploy.domain.settings.front import FrontSettings
from pushdeploy.domain.site import Site
from pushdeploy.domain.static.deciding import decide
from pushdeploy.domain.static.description import Description
from pushdeploy.output import Output
from pushdeploy.publish.publisher import texts_of
from pushdeploy.publish.taking_out import TakenOut, take_out
from pushdeploy.publish.trees import Trees
from pushdeploy.route.routers.nginx.rendering import SharedFront
from pushdeploy.route.routers.nginx.router import Nginx
from pushdeploy.settings import Address
from pushdeploy.templating import Templates
from tests.web_servers import free_address

HOST = "shop.localhost"
FOLDER = "/app/public"


@dataclass(frozen=True)
class Answer:
    """Names of ``headers`` are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def location(self) -> str | None:
        return self.headers.get("location")


@dataclass(frozen=True)
class SiteOnNginx:
    """``publish`` takes files by their paths, ``_redirects`` and ``_headers`` among them."""

    nginx: Nginx
    trees: Trees
    address: Address
    output: Output

    def publish(
        self,
        files: Mapping[str, bytes | str],
        described: Description | None = None,
        former: tuple[str, ...] = (),
    ) -> str:
        data = {
            name: text.encode() if isinstance(text, str) else text for name, text in files.items()
        }
        image = ImageDigest(
            f"sha256:{hashlib.sha256(repr(sorted(data.items())).encode()).hexdigest()}"
        )

        def take(target: Path) -> TakenOut:
            taken = take_out(io.BytesIO(_tar(data)), FOLDER, target)
            decided = decide(
                list(taken.manifest.files), texts_of(taken.texts), described or Description()
            )
            assert not decided.problems, [*map(str, decided.problems)]
            return replace(taken, rules=decided.rules)

        digest, _ = self.trees.add(image, FOLDER, take)
        folder = StaticFolder("/", digest, former, self.trees.rules_of(image, FOLDER))
        self.nginx.switch(self._route(folder), [], 0, self.output)
        return digest

    def _route(self, folder: StaticFolder) -> Route:
        site = Site(AppName("shop"), [HostName(HOST)], FrontSettings(), static=[folder])
        return Route(site, [], 1)

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """``path`` goes out as it is, and names of headers have ``_`` for ``-``."""
        connection = http.client.HTTPConnection(self.address.host, self.address.port, timeout=20)
        try:
            connection.putrequest(method, "/", skip_host=True, skip_accept_encoding=True)
            buffered = connection._buffer  # type: ignore[attr-defined] # putrequest refuses odd paths
            buffered[0] = f"{method} {path} HTTP/1.1".encode()
            connection.putheader("Host", HOST)
            for name, value in headers.items():
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders()
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())
        finally:
            connection.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SiteOnNginx]:
    """One nginx for a file of tests: each publishes what it needs."""
    home, address = tmp_path_factory.mktemp("home"), free_address()
    nginx = Nginx(home, SharedFront(address), Templates(home))
    nginx.start()
    try:
        yield SiteOnNginx(nginx, Trees(home / "nginx"), address, Output(lambda _: None))
    finally:
        nginx.stop()


def _tar(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        top = tarfile.TarInfo("public")
        top.type = tarfile.DIRTYPE
        archive.addfile(top)
        for name, data in files.items():
            member = tarfile.TarInfo(f"public/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()
