"""These rules say which host names an app may have: no address, and nothing of everybody's or of
another app."""

import re
from collections.abc import Callable, Mapping, Sequence

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import AppName, HostName
from pushdeploy.domain.site import default_host

_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_OWN_NAME = "give a name of your own, as in shop.example.com or *.example.com"


def refuse_host(
    app: AppName, host: HostName, domain: str, public_suffix: Callable[[str], bool]
) -> None:
    """Raise ``UserError`` unless ``app`` may answer on ``host`` of a server whose apps are
    below ``domain``.

    ``public_suffix`` tells names below which anybody can have one, as co.uk.

    A name below ``domain`` belongs to the app that it names, there already or not, and so does all
    below that. nginx takes ``*.example.com`` for names of any depth.
    """
    bare = host.removeprefix("*.")
    wild = bare != host
    if ends_in_number(bare):
        raise UserError(
            f"{host} is an address, not a name", "give a host name, as in shop.example.com"
        )
    if bare == domain and not wild:
        raise UserError(f"{host} is this server's own domain", f"apps answer on NAME.{domain}")
    if wild and f".{domain}".endswith(f".{bare}"):
        raise UserError(f"{host} would take the names of all apps", _OWN_NAME)
    owner = app_below(bare, domain)
    if owner is not None and owner != app:
        raise UserError(
            f"{host} belongs to the app {owner}: it is below this server's domain",
            f"domains:list {app} shows what {app} answers on",
        )
    if public_suffix(bare) or (wild and "." not in bare):
        raise UserError(f"anybody can have a name below {bare}: it is nobody's own", _OWN_NAME)


def ends_in_number(host: str) -> bool:
    """Tell whether browsers take it for an IPv4 address (the WHATWG URL Standard, "ends in a
    number").

    They read 127.1, 2130706433, 0x7f.1 and 017700000001 as addresses too.
    """
    return _NUMBER.fullmatch(host.rpartition(".")[2]) is not None


def app_below(host: str, domain: str) -> str | None:
    """Return ``shop`` for ``shop.<domain>`` and ``x.shop.<domain>``; None for names elsewhere."""
    head, found, tail = host.rpartition(f".{domain}")
    if not found or tail:
        return None
    return head.rpartition(".")[2]


def refuse_taken_name(
    app: AppName, domain: str, domains: Mapping[AppName, Sequence[HostName]]
) -> None:
    """Raise ``UserError`` when an app cannot be called so, for its host, or one below it, is a
    domain of another.

    A server of before may have let that happen.
    """
    host = default_host(app, domain)
    for owner, hosts in domains.items():
        for taken in hosts:
            if owner != app and app_below(taken.removeprefix("*."), domain) == app:
                raise UserError(
                    f"{taken} is a domain of {owner} already, and {host} would be this app's",
                    f"choose another name, or: domains:remove {owner} {taken}",
                )
