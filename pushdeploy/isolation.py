"""Tries from inside containers what they reach of this host: a rule may be there and not hold."""

import subprocess
import uuid
from collections.abc import Sequence
from socket import create_server

from pushdeploy.build.containers import ROLE_LABEL, run_to_end, temporary
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.container import ContainerSpec
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.ports import Engine

_METADATA = "169.254.169.254"
_NOBODY = "65534:65534"
_SECONDS = 60

_PROBE = """\
import socket, sys, threading

def look(place):
    address, port = place.rsplit(":", 1)
    try:
        socket.create_connection((address, int(port)), timeout=2).close()
        print(place, flush=True)
    except OSError:
        pass

looks = [threading.Thread(target=look, args=[place]) for place in sys.argv[1:]]
for each in looks:
    each.start()
"""

NETWORKS = {None: "an app", "bridge": "a step of a Dockerfile build"}
"""Where containers run that strangers have a say in, by what runs there."""


def reached(engine: Engine, image: str) -> Sequence[str]:
    """What containers of ``image``, which has Python, can reach and should not, in words."""
    found = []
    with create_server(("0.0.0.0", 0)) as host:  # noqa: S104 - to be found where it must not be
        port = host.getsockname()[1]
        places = [f"{address}:{port}" for address in _own_addresses()] + [f"{_METADATA}:80"]
        for network, who in NETWORKS.items():
            found += [f"{who} reaches {place}" for place in _tried(engine, image, network, places)]
    return found


def _tried(engine: Engine, image: str, network: str | None, places: Sequence[str]) -> Sequence[str]:
    spec = ContainerSpec(
        image=image,
        name=f"pushdeploy-{engine.instance}-probe-{uuid.uuid4().hex[:12]}",
        labels={ROLE_LABEL: "build"},
        command=["python3", "-c", _PROBE, *places],
        entrypoint=[],
        user=_NOBODY,
        network=network,
    )
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


def _own_addresses() -> Sequence[str]:
    """The IPv4 addresses of this host that others could know, as ip(8) shows them."""
    try:
        shown = subprocess.run(
            ["ip", "-o", "-4", "addr", "show"],
            env={"PATH": "/usr/sbin:/sbin:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise PushdeployError("ip cannot be run", "apt-get install iproute2") from error
    words = [line.split() for line in shown.splitlines()]
    addresses = [each[3].partition("/")[0] for each in words if len(each) > 3]
    return [address for address in addresses if not address.startswith("127.")]
