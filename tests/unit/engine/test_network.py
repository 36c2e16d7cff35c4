"""Which addresses a bridge gets, and who else is on Docker's own."""

from ipaddress import IPv4Network

import pytest

from pushdeploy.domain.errors import PushdeployError
from pushdeploy.engine.firewall import name_servers_in
from pushdeploy.engine.network import bridge_name, free_subnet, routes, strangers

ROUTES = """Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0
eth0\t000200C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
"""


def test_the_route_table_is_read() -> None:
    assert list(routes(ROUTES)) == [
        IPv4Network("0.0.0.0/0"),
        IPv4Network("172.17.0.0/16"),
        IPv4Network("192.0.2.0/24"),
    ]
    assert list(routes("")) == []


def test_a_subnet_overlaps_nothing_that_is_taken() -> None:
    first = free_subnet([IPv4Network("0.0.0.0/0")], "abc")
    assert first.prefixlen == 22
    second = free_subnet([first], "abc")
    assert not first.overlaps(second)
    inside = free_subnet([IPv4Network(f"{first[9]}/32")], "abc")
    assert not inside.overlaps(first)


def test_instances_begin_at_different_places_and_always_at_the_same() -> None:
    assert free_subnet([], "abc") == free_subnet([], "abc")
    assert len({free_subnet([], f"instance{n}") for n in range(20)}) > 15


def test_a_full_range_is_an_error_that_says_so() -> None:
    with pytest.raises(PushdeployError, match="is taken"):
        free_subnet([IPv4Network("10.0.0.0/8")], "abc")


def test_a_bridges_name_fits_into_an_interface_name() -> None:
    name = bridge_name("0123456789" * 5)
    assert len(name) <= 15
    assert name == bridge_name("0123456789" * 5)
    assert len({name, bridge_name("0123456789" * 5, isolated=True)}) == 2


def test_a_bridge_for_one_alone_is_small_and_has_a_name_of_its_own() -> None:
    names = {bridge_name("abc", isolated=i, alone=a) for i in (True, False) for a in ("", "1", "2")}
    assert len(names) == 6
    assert {len(name) for name in names} == {13}
    first = free_subnet([], "abc", 26)
    assert first.prefixlen == 26
    assert not first.overlaps(free_subnet([first], "abc", 26))


def test_containers_of_others_on_dockers_bridge_are_strangers_and_ours_are_not() -> None:
    there = {"bridge": {"IPAddress": "172.17.0.2", "GlobalIPv6Address": "fd00:1::2"}}
    theirs = {"Labels": {"com.example": "x"}, "NetworkSettings": {"Networks": there}}
    ours = {**theirs, "Labels": {"pushdeploy.instance": "abc"}}
    bare: dict[str, object] = {"Labels": None, "NetworkSettings": {"Networks": {"bridge": {}}}}
    assert list(strangers([theirs, ours, bare])) == ["172.17.0.2", "fd00:1::2"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nameserver 10.0.0.2\nnameserver 127.0.0.53\n", ["10.0.0.2"]),
        ("# nameserver 10.0.0.2\nsearch example.com\noptions edns0\n", []),
        ("nameserver fe80::1%eth0\nnameserver ::1\n nameserver\t9.9.9.9 # x\n", None),
        ("nameserver not-an-address\nnameserver\n", []),
    ],
)
def test_name_servers_are_those_that_containers_can_be_told_of(
    text: str, expected: list[str] | None
) -> None:
    assert name_servers_in(text) == (["fe80::1", "9.9.9.9"] if expected is None else expected)
