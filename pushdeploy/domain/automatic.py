"""These rules say which names want an automatic certificate, and why others can have none."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from pushdeploy.domain.certificate import covers
from pushdeploy.domain.hosts import ends_in_number
from pushdeploy.domain.names import AppName, HostName

LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"

_RESERVED = frozenset(
    ("localhost", "localdomain", "test", "local", "example", "invalid", "onion", "alt")
)
"""Nobody can own a name below these (RFC 6761, 6762, 7686, 9476)."""

_PRIVATE = frozenset(("internal", "lan", "home", "corp", "intranet", "private", "arpa"))
"""Names below these mean something within a network only; a CA of that network may know them."""


@dataclass(frozen=True, slots=True)
class Means:
    """``wildcards``: the operator has a script that writes DNS records. ``public``: the CA is one
    of the internet, which knows no names of a private network."""

    wildcards: bool
    public: bool


def is_wild(name: HostName) -> bool:
    return name.startswith("*.")


def unfit(name: HostName, means: Means) -> str:
    """Say why no CA would give a certificate for the name; empty where one may."""
    bare = name.removeprefix("*.")
    last = bare.rpartition(".")[2]
    if ends_in_number(bare):
        return "it is an address"
    if last in _RESERVED:
        return f"names below .{last} are nobody's" if last != bare else "it means every machine"
    if means.public and (last in _PRIVATE or "." not in bare):
        return "it is a name of a private network"
    if is_wild(name) and not means.wildcards:
        return "a wildcard needs a hook that writes DNS records, <home>/hooks/dns-01"
    return ""


def wanted_names(
    hosts: Mapping[AppName, Sequence[HostName]],
    domain: str,
    has_own: Callable[[AppName, HostName], bool],
    means: Means,
) -> Mapping[HostName, AppName | None]:
    """Choose the names that want an automatic certificate, and the app of each.

    ``hosts`` are those of apps that want any; what ``has_own`` certificate wants none. Where
    wildcards are possible one for the server's ``domain``, which is no app's, stands for all
    default hosts.
    """
    wanted: dict[HostName, AppName | None] = {
        host: app
        for app, each in hosts.items()
        for host in each
        if not unfit(host, means) and not has_own(app, host)
    }
    of_all = HostName(f"*.{domain}")
    if not unfit(of_all, means) and any(covers(of_all, host) for host in wanted):
        wanted[of_all] = None
    return wanted


def without_covered(
    wanted: Mapping[HostName, AppName | None], hopeless: Iterable[HostName]
) -> Mapping[HostName, AppName | None]:
    """Leave those names out for which a wanted wildcard will do, unless that one is
    ``hopeless``: it has failed and there is none."""
    failed = set(hopeless)
    wild = [name for name in wanted if is_wild(name) and name not in failed]
    return {
        name: app
        for name, app in wanted.items()
        if not any(pattern != name and covers(pattern, name) for pattern in wild)
    }
