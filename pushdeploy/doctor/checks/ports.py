"""Whether the ports of this home are free, or its own."""

from collections.abc import Iterator

from pushdeploy.doctor.check import Check, Installation, server_pid
from pushdeploy.domain.finding import Finding
from pushdeploy.instance import Home
from pushdeploy.listeners import Listener, listening, owners
from pushdeploy.settings import Address


def check_port(name: str, address: Address, home: Home) -> Finding:
    """Check that the port is free, or that this home's own server or nginx holds it."""
    check = f"{name} port"
    if not listening(address.port):
        return Finding(check, True, f"{address} is free")
    strangers = [each for each in owners(address.port) if not _ours(each, home)]
    if not strangers:
        return Finding(check, True, f"{address} is served by this home")
    process = strangers[0]
    detail = f"{address} is taken by process {process.pid} ({process.command[:60]})"
    return Finding(check, False, detail, f"set PUSHDEPLOY_{name.upper()} to another host:port")


def _look(installation: Installation) -> Iterator[Finding]:
    settings = installation.settings
    named = {"ssh": settings.ssh, "http": settings.http, "https": settings.https_address}
    for name, address in named.items():
        if address is not None:
            yield check_port(name, address, installation.home)


def _ours(listener: Listener, home: Home) -> bool:
    """The server writes its pid into the home; nginx works in a directory of it."""
    nginx = str(home.nginx.resolve())
    return str(listener.pid) == server_pid(home) or listener.directory == nginx


CHECK = Check(110, _look)
