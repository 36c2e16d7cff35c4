"""Pure functions write, for iptables-restore, which packets from containers go nowhere."""

import hashlib
import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

Family = Literal[4, 6]

METADATA = {
    4: ("169.254.0.0/16", "100.100.100.200/32", "168.63.129.16/32"),
    6: ("fd00:ec2::254/128", "fd20:ce::254/128", "fe80::/10"),
}
"""Where clouds tell a machine its secrets: link-local for most; of Alibaba, Azure, EC2, Google."""

LAN = {
    4: ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"),
    6: ("fc00::/7",),
}
"""The operator's other machines (RFC 1918, RFC 6598, RFC 4193)."""

_ANSWERS = "-m conntrack --ctstate RELATED,ESTABLISHED --ctdir REPLY -j RETURN"
"""What comes back on a connection that somebody else has opened. One that a container has opened
while no rule was there is established too, and must end all the same."""

_NEIGHBOURS = (135, 136)
"""Neighbour discovery of ICMPv6, without which nobody reaches anybody."""


@dataclass(frozen=True, slots=True)
class Bridge:
    """A bridge is an interface behind which containers are.

    ``subnet`` is where its containers' addresses are; what else comes from it is forged. Empty on a
    bridge that is not ours: then ``exempt`` are the addresses of other people's containers, which
    are left alone, and which builds do not reach: neither them nor one another.
    """

    interface: str
    subnet: str = ""
    isolated: bool = False
    exempt: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class HostRules:
    """Host rules keep the containers of one instance from this host, but for its name servers."""

    instance: str
    bridges: Sequence[Bridge]
    name_servers: Sequence[str] = ()
    lan_closed: bool = False

    def chain(self, hook: Literal["host", "away"]) -> str:
        """Name the chain for packets to this host, or beyond it: 28 characters at most."""
        digest = hashlib.sha256(self.instance.encode()).hexdigest()[:10]
        return f"PUSHDEPLOY-{digest}-{hook}"


def restore(host_rules: HostRules, family: Family, present: str) -> str:
    """The input of ``iptables-restore --noflush`` that makes all of it true.

    ``present`` is what ``iptables -S`` says now: it decides where our chains are still to be hung.
    """
    host, away = host_rules.chain("host"), host_rules.chain("away")
    lines = [f":{host} - [0:0]", f":{away} - [0:0]"]
    lines += [f"-A {host} {rule}" for rule in _to_host(host_rules, family)]
    lines += [f"-A {away} {rule}" for rule in _away(host_rules, family)]
    lines += [f"-I {hook} 1 -j {chain}" for hook, chain in _hooks(host_rules, present)]
    return "\n".join(["*filter", *lines, "COMMIT", ""])


def hung(host_rules: HostRules, present: str) -> bool:
    """Tell whether packets pass by our chains now."""
    return not _hooks(host_rules, present)


def removal(host_rules: HostRules, present: str) -> str:
    """The input that takes all of it away again; empty where nothing is left."""
    chains = [host_rules.chain("host"), host_rules.chain("away")]
    lines = [
        line.replace("-A ", "-D ", 1)
        for line in present.splitlines()
        if line.startswith("-A ") and line.rpartition(" -j ")[2] in chains
    ]
    known = [chain for chain in chains if f"-N {chain}" in present.splitlines()]
    lines += [f"-F {chain}" for chain in known] + [f"-X {chain}" for chain in known]
    return "\n".join(["*filter", *lines, "COMMIT", ""]) if lines else ""


def _hooks(host_rules: HostRules, present: str) -> list[tuple[str, str]]:
    """Where they are missing. Docker keeps DOCKER-USER before its own rules, but only while
    FORWARD leads there, which a flushed table does not."""
    rules = present.splitlines()
    forward = "DOCKER-USER" if "-A FORWARD -j DOCKER-USER" in rules else "FORWARD"
    wanted = [("INPUT", host_rules.chain("host")), (forward, host_rules.chain("away"))]
    return [(hook, chain) for hook, chain in wanted if f"-A {hook} -j {chain}" not in rules]


def _to_host(host_rules: HostRules, family: Family) -> Iterator[str]:
    for bridge in host_rules.bridges:
        yield from _entry(bridge, family)
        if not bridge.isolated and (family == 4 or not bridge.subnet):
            yield from _name_servers(host_rules, bridge, family)
        yield f"-i {bridge.interface} -j DROP"


def _away(host_rules: HostRules, family: Family) -> Iterator[str]:
    """Docker's own rules come afterwards; ours hold without them too."""
    ours = [bridge.interface for bridge in host_rules.bridges if bridge.subnet]
    closed = [*METADATA[family], *(LAN[family] if host_rules.lan_closed else ())]
    for bridge in host_rules.bridges:
        yield from _entry(bridge, family)
        if bridge.isolated or (bridge.subnet and family == 6):
            yield f"-i {bridge.interface} -j DROP"
            continue
        yield from (f"-i {bridge.interface} -o {other} -j DROP" for other in ours)
        yield from _name_servers(host_rules, bridge, family)
        if not bridge.subnet:
            yield f"-i {bridge.interface} -o {bridge.interface} -j DROP"
        yield from (f"-i {bridge.interface} -d {place} -j DROP" for place in closed)


def _entry(bridge: Bridge, family: Family) -> Iterator[str]:
    """Forged sources out, answers and other people's containers through."""
    if bridge.subnet and family == 4:
        yield f"-i {bridge.interface} ! -s {bridge.subnet} -j DROP"
    for address in _of(bridge.exempt, family):
        yield f"-i {bridge.interface} -s {address} -j RETURN"
    if bridge.subnet and family == 6:
        return  # our bridges have no IPv6: nothing there can be an answer
    yield f"-i {bridge.interface} {_ANSWERS}"
    if family == 6:
        for kind in _NEIGHBOURS:
            yield f"-i {bridge.interface} -p ipv6-icmp --icmpv6-type {kind} -j RETURN"


def _name_servers(host_rules: HostRules, bridge: Bridge, family: Family) -> Iterator[str]:
    for server in _of(host_rules.name_servers, family):
        for protocol in ("udp", "tcp"):
            yield f"-i {bridge.interface} -d {server} -p {protocol} --dport 53 -j RETURN"


def _of(addresses: Iterable[str], family: Family) -> list[str]:
    return [each for each in addresses if ipaddress.ip_address(each).version == family]
