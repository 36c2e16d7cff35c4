"""Which addresses a bridge gets, and the rule that closes the host to it."""

from ipaddress import IPv4Network

import pytest

from pushdeploy.domain.errors import PushdeployError
from pushdeploy.engine.firewall import rule
from pushdeploy.engine.network import bridge_name, free_subnet, routes

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


def test_the_rule_drops_new_connections_from_the_bridge_alone() -> None:
    assert " ".join(rule("pd-1")) == "INPUT -i pd-1 -m conntrack --ctstate NEW -j DROP"
