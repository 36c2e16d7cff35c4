"""An instance has bridges of its own, on which containers reach neither each other nor this host.

The isolated one has no way out into the world either.
"""

import hashlib
import ipaddress
import logging
import threading
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import docker.types

from pushdeploy.domain.errors import PushdeployError
from pushdeploy.engine import firewall
from pushdeploy.engine.connection import Connection
from pushdeploy.engine.errors import Missing, answering
from pushdeploy.engine.payloads import INSTANCE_LABEL
from pushdeploy.engine.rules import Bridge, HostRules

_RANGE = ipaddress.IPv4Network("10.208.0.0/12")
_PREFIX = 22
_ALONE_PREFIX = 26
_ATTEMPTS = 8
_BRIDGE_OPTION = "com.docker.network.bridge.name"
_DOCKERS_OWN = "bridge"
"""Docker's default network, where BuildKit runs what a Dockerfile says."""

ALONE_LABEL = "pushdeploy.alone"
"""For whom alone a network is."""

_log = logging.getLogger(__name__)


class Network(Connection):
    """Calls that make the instance's bridges, close the host to them, and remove them."""

    def __init__(self, instance: str, host: str | None = None, *, lan_closed: bool = False) -> None:
        """``lan_closed`` keeps containers from private addresses beyond this host as well."""
        super().__init__(instance, host)
        self._lan_closed = lan_closed
        self._making = threading.Lock()
        self._known: set[str] = set()

    def ensure_network(self, *, isolated: bool = False, alone: str = "") -> str:
        """The bridge's name. The first call of a process for it also closes the host to it.

        A bridge outlives a boot, rules do not.
        """
        name = self._name(isolated=isolated, alone=alone)
        with self._making:
            if not self._exists(name):
                self._make(name, isolated=isolated, alone=alone)
                self._known.discard(name)
            if name not in self._known:
                for problem in self._close():
                    _log.warning("%s", problem)
            self._known.add(name)
        return name

    def close_host(self) -> Sequence[str]:
        """Make every rule true that keeps containers from this host: what could not be closed.

        Tells in the log when rules were gone that this process had made.
        """
        with self._making:
            vanished = bool(self._known) and self._is_local() and not self._held()
            problems = self._close()
            if vanished and not problems:
                _log.warning("the rules that close this host to containers were gone; made anew")
            return problems

    def remove_network(self, alone: str = "") -> None:
        """Remove all bridges with their rules, or those of ``alone``; nothing happens without
        any.

        Fails while containers are on them.
        """
        with self._making:
            for network in self._of_instance():
                if not alone or _alone_of(network) == alone:
                    with suppress(Missing), answering("remove the network"):
                        self.api.remove_network(network["Id"])
                    self._known.discard(network["Name"])
            if not alone and self._is_local():
                firewall.remove(self._host_rules([]))

    def _close(self) -> Sequence[str]:
        if not self._is_local():
            return ["Docker is on another machine: nobody closes that one to its containers"]
        bridges = [_bridge_of(network) for network in self._of_instance()]
        return firewall.enforce(self._host_rules([*bridges, *self._dockers_bridge()]))

    def _held(self) -> bool:
        return firewall.are_enforced(self._host_rules([]))

    def _host_rules(self, bridges: Sequence[Bridge]) -> HostRules:
        return HostRules(self.instance, bridges, firewall.name_servers(), self._lan_closed)

    def _of_instance(self) -> list[Mapping[str, Any]]:
        wanted = {"label": f"{INSTANCE_LABEL}={self.instance}"}
        with answering("list the networks"):
            return list(self.api.networks(filters=wanted))

    def _dockers_bridge(self) -> Sequence[Bridge]:
        """Other people's containers on it go on as they are: builds alone are closed in."""
        with suppress(Missing), answering("look at Docker's own bridge"):
            network = self.api.inspect_network(_DOCKERS_OWN)
            there = self.api.containers(filters={"network": _DOCKERS_OWN})
            interface = (network.get("Options") or {}).get(_BRIDGE_OPTION, "docker0")
            return [Bridge(interface, exempt=strangers(there))]
        return []

    def _name(self, *, isolated: bool, alone: str) -> str:
        words = ["pushdeploy", self.instance, *(["isolated"] if isolated else []), alone]
        return "-".join(filter(None, words))

    def _exists(self, name: str) -> bool:
        with suppress(Missing), answering("inspect the network"):
            self.api.inspect_network(name)
            return True
        return False

    def _make(self, name: str, *, isolated: bool, alone: str) -> None:
        refused: PushdeployError | None = None
        taken = [*self._networks(), *routes(_route_table())]
        for _ in range(_ATTEMPTS):
            subnet = free_subnet(taken, self.instance, _ALONE_PREFIX if alone else _PREFIX)
            try:
                self._create(name, subnet, isolated=isolated, alone=alone)
            except PushdeployError as error:
                # Another server may have taken the range between the question and the request.
                refused = error
                taken.append(subnet)
            else:
                return
        raise refused or PushdeployError("no network could be made")

    def _create(
        self, name: str, subnet: ipaddress.IPv4Network, *, isolated: bool, alone: str
    ) -> None:
        pool = docker.types.IPAMPool(subnet=str(subnet), gateway=str(subnet[1]))
        interface = bridge_name(self.instance, isolated=isolated, alone=alone)
        labels = {INSTANCE_LABEL: self.instance, **({ALONE_LABEL: alone} if alone else {})}
        with answering(f"make a network in {subnet}"):
            self.api.create_network(
                name,
                driver="bridge",
                check_duplicate=True,
                internal=isolated,
                options={
                    "com.docker.network.bridge.enable_icc": "false",
                    _BRIDGE_OPTION: interface,
                },
                ipam=docker.types.IPAMConfig(pool_configs=[pool]),
                labels=labels,
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
        """Tell whether Docker runs on this machine: only then are the host's rules ours to
        write.
        """
        return self.api.base_url.startswith("http+docker://localhost")


def bridge_name(instance: str, *, isolated: bool = False, alone: str = "") -> str:
    """The interface's name: at most 15 characters (IFNAMSIZ), the same for ever."""
    prefix = "pi-" if isolated else "pd-"
    whose = f"{instance}/{alone}" if alone else instance
    return prefix + hashlib.sha256(whose.encode()).hexdigest()[:10]


def strangers(containers: Iterable[Mapping[str, Any]]) -> Sequence[str]:
    """The addresses on Docker's own bridge of containers that no server of ours has made."""
    found = []
    for each in containers:
        if INSTANCE_LABEL not in (each.get("Labels") or {}):
            networks = (each.get("NetworkSettings") or {}).get("Networks") or {}
            there = networks.get(_DOCKERS_OWN) or {}
            found += [there.get("IPAddress"), there.get("GlobalIPv6Address")]
    return [address for address in found if address]


def _bridge_of(network: Mapping[str, Any]) -> Bridge:
    """Read one of our bridges from what ``GET /networks`` says of it."""
    interface = network["Options"][_BRIDGE_OPTION]
    return Bridge(interface, network["IPAM"]["Config"][0]["Subnet"], bool(network["Internal"]))


def _alone_of(network: Mapping[str, Any]) -> str:
    return str((network.get("Labels") or {}).get(ALONE_LABEL, ""))


def free_subnet(
    taken: Iterable[ipaddress.IPv4Network], instance: str, prefix: int = _PREFIX
) -> ipaddress.IPv4Network:
    """A subnet of our range, of so many bits, that overlaps nothing in ``taken``.

    The search begins at a place of the instance's own, so that servers starting together rarely
    want the same.
    """
    occupied = [network for network in taken if network.prefixlen]
    count = 2 ** (prefix - _RANGE.prefixlen)
    first = int(hashlib.sha256(instance.encode()).hexdigest(), 16) % count
    for number in range(first, first + count):
        start = int(_RANGE.network_address) + (number % count << (32 - prefix))
        subnet = ipaddress.IPv4Network((start, prefix))
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
