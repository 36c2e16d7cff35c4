"""Addresses of visitors are named by networks: ``203.0.113.7``, ``10.0.0.0/8``, ``fd00::/8``."""

import ipaddress
from collections.abc import Iterable, Sequence

from pushdeploy.domain.errors import UserError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MOST_NETWORKS = 1000


def parse_network(text: str) -> Network:
    """Parse an address, which is a network of one, or a network; ``UserError`` says what is wrong.

    An IPv4 address in the form of IPv6 (RFC 4291, 2.5.5.2) is that IPv4 address.
    """
    try:
        return _plain(ipaddress.ip_network(_without_zone(text)))
    except ValueError:
        pass
    try:
        wide = ipaddress.ip_network(_without_zone(text), strict=False)
    except ValueError:
        raise UserError(
            f"{text[:60]!r} is no address and no network",
            "write 203.0.113.7, 10.0.0.0/8 or fd00::/8",
        ) from None
    raise UserError(f"{text} is an address within a network", f"write {wide} for all of it")


def shown_network(network: Network) -> str:
    """Show a network of one as its address."""
    one = network.prefixlen == network.max_prefixlen
    return str(network.network_address) if one else str(network)


def in_order(networks: Iterable[Network]) -> Sequence[Network]:
    """Return each network once, IPv4 first; ``UserError`` for more than nginx is to look at."""
    found = sorted(set(networks), key=_place)
    if len(found) > MOST_NETWORKS:
        raise UserError(
            f"{len(found)} addresses and networks are too many",
            f"{MOST_NETWORKS} are the most: name the networks that they are in",
        )
    return tuple(found)


def _place(network: Network) -> tuple[int, int, int]:
    return network.version, int(network.network_address), network.prefixlen


def _without_zone(text: str) -> str:
    """Raise ``ValueError`` for ``fe80::1%eth0``: a zone, in any letters, is one machine's own."""
    if "%" in text:
        raise ValueError(text)
    return text


def _plain(network: Network) -> Network:
    if isinstance(network, ipaddress.IPv6Network) and network.prefixlen >= 96:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return ipaddress.IPv4Network((mapped, network.prefixlen - 96))
    return network
