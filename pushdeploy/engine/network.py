"""The instance's own bridges: containers reach neither each other nor this host, and the world by
way of one of them only."""

import hashlib
import ipaddress
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import docker.types

from pushdeploy.domain.errors import PushdeployError
from pushdeploy.engine import firewall
from pushdeploy.engine.connection import Connection
from pushdeploy.engine.errors import Missing, answering
from pushdeploy.engine.payloads import INSTANCE_LABEL

_RANGE = ipaddress.IPv4Network("10.208.0.0/12")
_PREFIX = 22
_ATTEMPTS = 8


class Network(Connection):
    """``ensure_network`` and ``remove_network``."""

    def __init__(self, instance: str, host: str | None = None) -> None:
        super().__init__(instance, host)
        self._making = threading.Lock()
        self._closed_to_host: set[str] = set()

    def ensure_network(self, *, isolated: bool = False) -> str:
        """The bridge's name. The first call of a process also renews the rule that guards the host.

        A bridge outlives a boot, the rule does not.
        """
        name = self._name(isolated=isolated)
        with self._making:
            if not self._exists(name):
                self._make(name, isolated=isolated)
            if name not in self._closed_to_host and self._is_local():
                firewall.close(bridge_name(self.instance, isolated=isolated))
            self._closed_to_host.add(name)
        return name

    def remove_network(self) -> None:
        """Both bridges; nothing happens when they are gone. Fails while containers are on them."""
        for isolated in (False, True):
            with self._making, suppress(Missing), answering("remove the network"):
                self.api.remove_network(self._name(isolated=isolated))
            if self._is_local():
                firewall.open_again(bridge_name(self.instance, isolated=isolated))
        self._closed_to_host.clear()

    def _name(self, *, isolated: bool) -> str:
        return f"pushdeploy-{self.instance}-isolated" if isolated else f"pushdeploy-{self.instance}"

    def _exists(self, name: str) -> bool:
        with suppress(Missing), answering("inspect the network"):
            self.api.inspect_network(name)
            return True
        return False

    def _make(self, name: str, *, isolated: bool) -> None:
        refused: PushdeployError | None = None
        taken = [*self._networks(), *routes(_route_table())]
        for _ in range(_ATTEMPTS):
            subnet = free_subnet(taken, self.instance)
            try:
                self._create(name, subnet, isolated=isolated)
            except PushdeployError as error:
                # Another server may have taken the range between the question and the request.
                refused = error
                taken.append(subnet)
            else:
                return
        raise refused or PushdeployError("no network could be made")

    def _create(self, name: str, subnet: ipaddress.IPv4Network, *, isolated: bool) -> None:
        pool = docker.types.IPAMPool(subnet=str(subnet), gateway=str(subnet[1]))
        with answering(f"make a network in {subnet}"):
            self.api.create_network(
                name,
                driver="bridge",
                check_duplicate=True,
                internal=isolated,
                options={
                    "com.docker.network.bridge.enable_icc": "false",
                    "com.docker.network.bridge.name": bridge_name(self.instance, isolated=isolated),
                },
                ipam=docker.types.IPAMConfig(pool_configs=[pool]),
                labels={INSTANCE_LABEL: self.instance},
            )

    def _networks(self) -> list[ipaddress.IPv4Network]:
        with answering("list the networks"):
            networks = self.api.networks()
        return [
            ipaddress.IPv4Network(pool["Subnet"], strict=False)
            for network in networks
            for pool in (network.get("IPAM") or {}).get("Config") or ()
            if pool.get("Subnet") and ":" not in pool["Subnet"]
        ]

    def _is_local(self) -> bool:
        """Only then are the host's rules ours to write."""
        return self.api.base_url.startswith("http+docker://localhost")


def bridge_name(instance: str, *, isolated: bool = False) -> str:
    """The interface's name: at most 15 characters (IFNAMSIZ), the same for ever."""
    prefix = "pi-" if isolated else "pd-"
    return prefix + hashlib.sha256(instance.encode()).hexdigest()[:10]


def free_subnet(taken: Iterable[ipaddress.IPv4Network], instance: str) -> ipaddress.IPv4Network:
    """A /22 of our range that overlaps nothing in ``taken``.

    The search begins at a place of the instance's own, so that servers starting together rarely
    want the same.
    """
    occupied = [network for network in taken if network.prefixlen]
    subnets = list(_RANGE.subnets(new_prefix=_PREFIX))
    first = int(hashlib.sha256(instance.encode()).hexdigest(), 16) % len(subnets)
    for subnet in subnets[first:] + subnets[:first]:
        if not any(subnet.overlaps(other) for other in occupied):
            return subnet
    raise PushdeployError(
        f"every network in {_RANGE} is taken", "docker network ls shows them; remove unused ones"
    )


def routes(table: str) -> Sequence[ipaddress.IPv4Network]:
    """The destinations in /proc/net/route (proc_net(5)): little-endian hexadecimal words."""
    rows = [line.split() for line in table.splitlines()[1:]]
    return [
        ipaddress.IPv4Network((_word(row[1]), str(ipaddress.IPv4Address(_word(row[7])))))
        for row in rows
        if len(row) > 7
    ]


def _word(text: str) -> int:
    return int.from_bytes(bytes.fromhex(text), "little")


def _route_table() -> str:
    path = Path("/proc/net/route")
    return path.read_text() if path.exists() else ""
