"""Tries from inside containers what they reach of this host: a rule may be there and not hold."""

import ipaddress
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from socket import create_server
from typing import Literal

from pushdeploy.build.containers import ROLE_LABEL, run_to_end, temporary
from pushdeploy.doctor.reach_probes import CONNECTIONS, FRAMES
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.container import ContainerSpec
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.ports.engine import Engine

_IPV6 = Path("/proc/sys/net/ipv6")
_METADATA = "169.254.169.254"
_NOBODY = "65534:65534"
_SECONDS = 60

_ROOT = "0:0"
NETWORKS = {None: "an app", "bridge": "a step of a Dockerfile build"}
"""Where containers run that strangers have a say in, by what runs there."""


def reached(engine: Engine, image: str) -> Sequence[str]:
    """List the places that containers of ``image``, which has Python, reach and should not."""
    with create_server(("0.0.0.0", 0)) as host:  # noqa: S104 - to be found where it must not be
        port = host.getsockname()[1]
        places = [*(f"{address}:{port}" for address in _own_addresses(4)), f"{_METADATA}:80"]
        tried = [
            (who, probe)
            for network, who in NETWORKS.items()
            for probe in _probes(engine, image, network, places)
        ]
        with ThreadPoolExecutor(len(tried), thread_name_prefix="isolation") as pool:
            said = pool.map(lambda each: _said(engine, each[1]), tried)
            return [
                f"{who} reaches {place}"
                for (who, _), places in zip(tried, said, strict=True)
                for place in places
            ]


def has_ipv6() -> bool:
    """Tell whether this kernel speaks IPv6 at all."""
    return _IPV6.is_dir()


def _probes(
    engine: Engine, image: str, network: str | None, places: Sequence[str]
) -> Iterator[ContainerSpec]:
    """Over IPv4 as everybody; over IPv6, which our containers lack, by frames made by hand."""
    yield _probe(engine, image, network, [CONNECTIONS, *places])
    if has_ipv6():
        frames = _probe(engine, image, network, [FRAMES, *_own_addresses(6)])
        yield replace(frames, user=_ROOT, capabilities=["NET_RAW"])


def _probe(engine: Engine, image: str, network: str | None, script: Sequence[str]) -> ContainerSpec:
    return ContainerSpec(
        image=image,
        name=f"pushdeploy-{engine.instance}-probe-{uuid.uuid4().hex[:12]}",
        labels={ROLE_LABEL: "build"},
        command=["python3", "-c", *script],
        entrypoint=[],
        user=_NOBODY,
        network=network,
    )


def _said(engine: Engine, spec: ContainerSpec) -> Sequence[str]:
    said: list[str] = []

    def hear(line: str) -> bool:
        said.append(line)
        return True

    with temporary(engine, spec) as container:
        ending = run_to_end(engine, container, hear, _SECONDS, Cancellation())
    if ending.exit_code:
        raise PushdeployError(
            f"no container can be tried out: {' '.join(said)[-200:]}", "docker info"
        )
    return said


def _own_addresses(family: Literal[4, 6]) -> Sequence[str]:
    """The addresses of this host that others could know, as ip(8) shows them.

    Those of a container's own end of a line are left out.
    """
    try:
        shown = subprocess.run(
            ["ip", "-o", f"-{family}", "addr", "show"],
            env={"PATH": "/usr/sbin:/sbin:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise PushdeployError("ip cannot be run", "apt-get install iproute2") from error
    return addresses_in(shown)


def addresses_in(shown: str) -> Sequence[str]:
    """Parse lines like ``4: eth0 inet6 fd00::2/64 scope global …``."""
    words = [line.split() for line in shown.splitlines()]
    named = [(each[1], each[3].partition("/")[0]) for each in words if len(each) > 3]
    return [
        address
        for interface, address in named
        if not (interface.startswith("veth") or ipaddress.ip_address(address).is_loopback)
    ]
