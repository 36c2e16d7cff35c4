"""Who is connected to a task: read from the kernel's table."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from pushdeploy.domain.route import Target
from pushdeploy.route.routers.nginx.drain import connected_peers, open_connections, wait_until_empty
from tests.web_servers import HOURS

ESTABLISHED = (
    "  0: 0100007F:1F90 020011AC:1388 01 00000000:00000000 00:00000000 00000000  0 0 1 1 0 20 4 30"
)


def test_the_far_end_of_an_established_connection_is_read_in_the_machines_byte_order() -> None:
    assert list(connected_peers([ESTABLISHED])) == [Target("172.17.0.2", 5000)]


@pytest.mark.parametrize(
    ("state", "counts"),
    [("01", True), ("02", True), ("04", False), ("06", False), ("08", False), ("0A", False)],
)
def test_only_connections_that_may_carry_a_request_count(state: str, counts: bool) -> None:
    line = ESTABLISHED.replace(" 01 ", f" {state} ")
    assert bool(list(connected_peers([line]))) is counts


def test_ipv4_inside_ipv6_is_the_ipv4_address() -> None:
    mapped = ESTABLISHED.replace("020011AC", "0000000000000000FFFF0000020011AC")
    assert list(connected_peers([mapped])) == [Target("172.17.0.2", 5000)]


def test_ipv6_addresses_are_read_in_four_words() -> None:
    line = ESTABLISHED.replace("020011AC", "B80D0120000000000000000001000000")
    assert list(connected_peers([line])) == [Target("2001:db8::1", 5000)]


@pytest.mark.parametrize("line", ["", "sl local_address", "one two"])
def test_lines_that_are_no_connection_are_passed_over(line: str) -> None:
    assert list(connected_peers([line])) == []


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.9", 0)) as server:
        yield server


def test_a_connection_counts_from_connect_to_close(listener: socket.socket) -> None:
    target = Target(*listener.getsockname())
    assert open_connections([target]) == 0
    with socket.create_connection(listener.getsockname()), listener.accept()[0]:
        assert open_connections([target]) == 1
    assert open_connections([target]) == 0


def test_the_wait_ends_when_the_last_connection_does(listener: socket.socket) -> None:
    target = Target(*listener.getsockname())
    client = socket.create_connection(listener.getsockname())
    closing = threading.Timer(0.2, client.close)
    closing.start()
    left = wait_until_empty(
        [target], workers_gone=lambda: False, quiet_at=time.monotonic(), drain_seconds=HOURS
    )
    closing.join()
    assert left == 0


def test_an_empty_table_does_not_count_before_the_idle_clients_have_had_their_turn() -> None:
    started = time.monotonic()
    wait_until_empty(
        [Target("127.0.0.9", 1)],
        workers_gone=lambda: False,
        quiet_at=started + 0.3,
        drain_seconds=HOURS,
    )
    assert time.monotonic() - started >= 0.3


def test_nothing_is_waited_for_when_the_old_workers_are_gone() -> None:
    quiet_at = time.monotonic() + HOURS
    wait_until_empty(
        [Target("127.0.0.9", 1)],
        workers_gone=lambda: True,
        quiet_at=quiet_at,
        drain_seconds=HOURS,
    )
    assert time.monotonic() < quiet_at


def test_the_deadline_ends_the_wait_and_tells_how_many_were_open(listener: socket.socket) -> None:
    target = Target(*listener.getsockname())
    with socket.create_connection(listener.getsockname()):
        left = wait_until_empty([target], workers_gone=lambda: False, quiet_at=0, drain_seconds=0.1)
    assert left == 1
