"""Hosts get certificates by themselves from a real authority, and nobody notices but browsers."""

import http.client
import socket
import ssl
from collections.abc import Iterator
from contextlib import closing

import pytest
from cryptography import x509

from pushdeploy.route.routers.nginx.workers import workers_in
from pushdeploy.store import Store
from tests.certificate_authority import Pebble, certificate_authority
from tests.certificate_front import CertificateFront, Refusal, certificate_front
from tests.stories.conftest import MakeServer
from tests.stories.harness import APPS, Repository, Server, free_ports, wait_until
from tests.stories.traffic import visiting

pytestmark = pytest.mark.docker

ISSUED_SECONDS = 90
SHORT_SECONDS = 40
"""A lifetime that is over two thirds soon."""


@pytest.fixture(scope="module")
def pebble(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pebble]:
    with certificate_authority(tmp_path_factory.mktemp("pebble"), free_ports(4)) as pebble:
        yield pebble


@pytest.fixture(scope="module")
def authority(pebble: Pebble) -> Iterator[CertificateFront]:
    with certificate_front(pebble) as front:
        yield front


@pytest.fixture(scope="module")
def https_port() -> int:
    return free_ports(1)[0]


@pytest.fixture(scope="module")
def certified(
    make_server: MakeServer, pebble: Pebble, authority: CertificateFront, https_port: int
) -> Server:
    server = make_server(
        start=False,
        tls="auto",
        https=f"127.0.0.1:{https_port}",
        acme_directory=authority.directory,
        acme_ca_bundle=str(pebble.bundle),
        acme_resolver=str(pebble.names.address),
    )
    pebble.start(server.http_port, config={"certificateValidityPeriod": SHORT_SECONDS})
    server.start()
    return server


@pytest.fixture(scope="module")
def app(certified: Server, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    path = tmp_path_factory.mktemp("certified") / "hello"
    repository = Repository.create(certified, APPS / "hello", path, "shop")
    repository.push(check=True)
    return repository


def standing(server: Server, host: str) -> dict[str, object]:
    rows = server.json("certs:auto shop")
    return next(row for row in rows if row["host"] == host)


def await_state(server: Server, host: str, state: str) -> dict[str, object]:
    wait_until(
        lambda: standing(server, host)["state"] == state,
        ISSUED_SECONDS,
        lambda: f"{standing(server, host)}\n{server.log()[-3000:]}",
    )
    return standing(server, host)


def shown(port: int, host: str, root_pem: str) -> x509.Certificate | None:
    """What a browser that trusts the authority gets to see of the host; None where it objects."""
    trusted = ssl.create_default_context(cadata=root_pem)
    try:
        with (
            socket.create_connection(("127.0.0.1", port), 10) as plain,
            trusted.wrap_socket(plain, server_hostname=host) as connection,
        ):
            return x509.load_der_x509_certificate(connection.getpeercert(True) or b"")
    except (ssl.SSLError, ConnectionError):
        return None


def sent_to_https(server: Server, host: str) -> bool:
    """The first certificate of a host changes how its requests by plain http are answered."""
    connection = http.client.HTTPConnection("127.0.0.1", server.http_port, timeout=10)
    with closing(connection):
        connection.request("GET", "/", headers={"Host": host})
        return connection.getresponse().status == http.client.PERMANENT_REDIRECT


def await_other(port: int, host: str, pebble: Pebble, former: int) -> int:
    """The serial number of the next certificate that browsers see."""
    seen = [former]

    def look() -> bool:
        found = shown(port, host, pebble.root_pem())
        if found is not None:
            seen.append(found.serial_number)
        return seen[-1] != former

    wait_until(look, ISSUED_SECONDS, lambda: f"{host} shows {seen[-1]} still")
    return seen[-1]


def test_added_hosts_get_certificates_and_renewals_while_no_request_is_lost(
    app: Repository, pebble: Pebble, https_port: int
) -> None:
    server, hosts = app.server, ["one.example.com", "two.example.com", "three.example.com"]
    with visiting(server, "shop") as visits:
        server.ssh(f"domains:add shop {' '.join(hosts)}", check=True)
        serials = {host: await_other(https_port, host, pebble, 0) for host in hosts}
        wait_until(
            lambda: all(sent_to_https(server, host) for host in hosts),
            ISSUED_SECONDS,
            lambda: "http is not sent to https",
        )
        workers = {worker.pid for worker in workers_in(server.home / "nginx")}
        for host in hosts:
            await_other(https_port, host, pebble, serials[host])
        assert {worker.pid for worker in workers_in(server.home / "nginx")} == workers
    assert visits.lost == []
    row = standing(server, "shop.apps.test")
    assert (row["state"], row["why"]) == ("none", "names below .test are nobody's")
    server.ssh(f"domains:remove shop {' '.join(hosts)}", check=True)


def test_a_name_that_leads_nowhere_says_why_and_what_to_do_and_the_impatient_may_try(
    app: Repository, pebble: Pebble
) -> None:
    server = app.server
    pebble.names.lead_unknown("")
    try:
        server.ssh("domains:add shop lost.example.com", check=True)
        row = await_state(server, "lost.example.com", "failing")
    finally:
        pebble.names.lead_unknown("127.0.0.1")
    assert str(row["why"]).startswith("lost.example.com does not resolve")
    assert str(row["hint"]).startswith("add an A record for lost.example.com")
    assert row["next_at"] is not None
    assert "lost.example.com" in server.ssh("apps:info shop", check=True).stdout
    told = server.ssh("certs:renew lost.example.com", check=True)
    assert "is tried for now" in told.stdout
    await_state(server, "lost.example.com", "issued")
    refused = server.ssh("certs:renew lost.example.com")
    assert refused.returncode == 1
    assert "within this hour" in refused.stderr
    server.ssh("domains:remove shop lost.example.com", check=True)


def test_the_impatient_wait_as_long_as_the_authority_wants(
    app: Repository, authority: CertificateFront
) -> None:
    server = app.server
    authority.refusals.append(Refusal("/order-plz", 429, "rateLimited", {"Retry-After": "3600"}))
    server.ssh("domains:add shop much.example.com", check=True)
    await_state(server, "much.example.com", "failing")
    refused = server.ssh("certs:renew shop")
    assert refused.returncode == 1
    assert "wants no order for much.example.com before" in refused.stderr
    server.ssh("domains:remove shop much.example.com", check=True)


def test_a_server_that_is_killed_between_order_and_certificate_goes_on_with_the_order(
    app: Repository, authority: CertificateFront
) -> None:
    server, orders = app.server, authority.count("/order-plz")
    authority.gate.clear()
    authority.closed = "/finalize-order/"
    server.ssh("domains:add shop cut.example.com", check=True)
    wait_until(authority.waiting.is_set, ISSUED_SECONDS, server.log)
    server.kill()
    authority.closed = ""
    authority.gate.set()
    server.start()
    await_state(server, "cut.example.com", "issued")
    assert authority.count("/order-plz") == orders + 1
    server.ssh("domains:remove shop cut.example.com", check=True)


def test_keys_stand_in_no_log_and_no_answer(app: Repository) -> None:
    server = app.server
    server.ssh("domains:add shop secret.example.com", check=True)
    await_state(server, "secret.example.com", "issued")
    with closing(Store.open(f"sqlite:///{server.home}/pushdeploy.sqlite3")) as store:
        [present] = [each for each in store.certificates.list() if "secret" in each.names[0]]
        key = store.certificates.pems([present.id])[present.id].key
    line = key.splitlines()[1]
    told = server.log() + "".join(
        path.read_text(errors="replace")
        for path in (server.home / "nginx/logs").rglob("*")
        if path.is_file()
    )
    told += server.ssh("certs:auto --format json", check=True).stdout
    assert line not in told
