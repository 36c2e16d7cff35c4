"""Networks: what people and JSON name visitors' addresses by."""

import pytest

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.front.network import (
    MOST_NETWORKS,
    in_order,
    parse_network,
    shown_network,
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("FD00::/8", "fd00::/8"),
        ("::1", "::1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
    ],
)
def test_addresses_and_networks_have_one_form(text: str, shown: str) -> None:
    assert shown_network(parse_network(text)) == shown


@pytest.mark.parametrize(
    "text",
    [
        *("", "shop", "10.0.0.0/33", "10.0.0", "1.2.3.4; deny all", "010.0.0.1", "1.2.3.4\n"),
        *("fe80::1%eth0", "fe80::1%;", "fe80::/10%}", "unix:", "::/129", " 1.2.3.4"),
    ],
)
def test_nothing_else_is_a_network(text: str) -> None:
    with pytest.raises(UserError):
        parse_network(text)


def test_an_address_with_the_mask_of_its_network_is_told_the_network() -> None:
    with pytest.raises(UserError) as refused:
        parse_network("10.1.2.3/8")
    assert "10.0.0.0/8" in refused.value.hint


def test_networks_stand_once_and_in_order_and_are_not_endless() -> None:
    texts = ("fd00::/8", "10.0.0.0/8", "10.0.0.0/16", "10.0.0.0/8")
    found = in_order([parse_network(text) for text in texts])
    assert [str(each) for each in found] == ["10.0.0.0/8", "10.0.0.0/16", "fd00::/8"]
    many = [
        parse_network(f"10.0.{number // 256}.{number % 256}") for number in range(100_000 // 64)
    ]
    assert len(many) > MOST_NETWORKS
    with pytest.raises(UserError, match="too many"):
        in_order(many)
