"""The firewall of this host gets the rules that keep containers from it, as often as asked."""

import ipaddress
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from pushdeploy.engine import rules
from pushdeploy.engine.rules import Family, HostRules

_PROGRAMS: Mapping[Family, str] = {4: "iptables", 6: "ip6tables"}
_PATH = "/usr/sbin:/sbin:/usr/bin:/bin"
_ENVIRONMENT = {"PATH": _PATH}
_TIMEOUT_SECONDS = 15
_SYSTEM = Path("/proc/sys/net")
_RESOLVERS = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))
_BRIDGED = {"bridge/bridge-nf-call-iptables": "1", "bridge/bridge-nf-call-ip6tables": "1"}
"""Without these, frames from one container to another pass by every rule."""


def enforce(host_rules: HostRules) -> Sequence[str]:
    """Make the rules hold, in a step for each family: sentences about what could not be closed."""
    return [*_settle(host_rules), *_close(host_rules, 4), *_close(host_rules, 6)]


def are_enforced(host_rules: HostRules) -> bool:
    """Tell whether packets still pass by the rules; False where nobody can tell."""
    return all(rules.hung(host_rules, _present(family) or "") for family in _PROGRAMS)


def remove(host_rules: HostRules) -> None:
    """Remove every rule; nothing happens when there is none."""
    for family in _PROGRAMS:
        text = rules.removal(host_rules, _present(family) or "")
        if text:
            _restore(family, text)


def name_servers() -> Sequence[str]:
    """The name servers that this host asks and containers hear of: none on its loopback."""
    found = []
    for path in _RESOLVERS:
        with suppress(OSError):
            found += name_servers_in(path.read_text())
    return list(dict.fromkeys(found))


def name_servers_in(text: str) -> list[str]:
    """Read those of resolv.conf(5); a scope (``%eth0``) and what is no address are left out."""
    found = []
    for line in text.splitlines():
        match line.split():
            case ["nameserver", address, *_]:
                with suppress(ValueError):
                    parsed = ipaddress.ip_address(address.partition("%")[0])
                    if not parsed.is_loopback:
                        found.append(str(parsed))
    return found


def _close(host_rules: HostRules, family: Family) -> Iterator[str]:
    present = _present(family)
    if present is None:
        # Without IPv6 on this machine there is nothing to close.
        if family == 4 or (_SYSTEM / "ipv6").is_dir():
            yield (
                f"containers can reach this host over IPv{family}: {_PROGRAMS[family]} cannot be"
                " used (it must be installed, and pushdeploy run as root)"
            )
        return
    problem = _restore(family, rules.restore(host_rules, family, present))
    if problem:
        yield f"containers can reach this host over IPv{family}: {problem}"


def _settle(host_rules: HostRules) -> Iterator[str]:
    """Set the kernel's settings of our bridges: no IPv6, no detours, no forged way back."""
    wanted = dict(_BRIDGED)
    for bridge in host_rules.bridges:
        name = bridge.interface
        if bridge.subnet and (_SYSTEM / "ipv4/conf" / name).is_dir():
            wanted |= {
                f"ipv6/conf/{name}/disable_ipv6": "1",
                f"ipv4/conf/{name}/rp_filter": "1",
                f"ipv4/conf/{name}/accept_redirects": "0",
                f"ipv4/conf/{name}/send_redirects": "0",
                f"ipv4/conf/{name}/route_localnet": "0",
            }
    for key, value in wanted.items():
        path = _SYSTEM / key
        try:
            if path.exists() and path.read_text().strip() != value:
                path.write_text(value)
        except OSError as error:
            yield f"net/{key} cannot be set to {value}: {error.strerror}"


def _present(family: Family) -> str | None:
    """The rules that ``-S`` shows; None where there is no such program, or no right to use it."""
    return _said(_PROGRAMS[family], "-w", "-S")


def _restore(family: Family, text: str) -> str:
    """Put the rules in as one transaction: what went wrong, empty when all went well."""
    program = _find(f"{_PROGRAMS[family]}-restore")
    if program is None:
        return f"{_PROGRAMS[family]}-restore is missing"
    try:
        done = subprocess.run(
            [program, "--noflush", "--wait"],
            input=text,
            env=_ENVIRONMENT,
            check=False,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
        )
    except subprocess.TimeoutExpired:
        return f"{program} takes too long"
    return done.stderr.strip() or f"exit code {done.returncode}" if done.returncode else ""


def _said(name: str, *arguments: str) -> str | None:
    program = _find(name)
    if program is None:
        return None
    with suppress(subprocess.SubprocessError):
        return subprocess.run(
            [program, *arguments],
            env=_ENVIRONMENT,
            check=True,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_SECONDS,
        ).stdout
    return None


def _find(name: str) -> str | None:
    return shutil.which(name, path=_PATH)
