"""Host names that people write or copy get the one form in which browsers send them."""

import ipaddress
import re
from contextlib import suppress
from functools import cached_property
from urllib.parse import urlsplit

import idna
from publicsuffixlist import PublicSuffixList

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import HostName

_PORT = re.compile(r"(?P<host>[^:]*):[0-9]*")
_LABEL_BYTES = 63  # RFC 1035 §2.3.4


def parse_host(text: str) -> HostName:
    """Parse a host name in any case, with or without the dot of the root, in any letters or in
    punycode.

    ``bücher.example`` and ``XN--BCHER-KVA.example.`` are both ``xn--bcher-kva.example``.
    ``UserError`` says what is wrong: a URL, a port, an address, a letter.
    """
    text = text.strip()
    _refuse_more_than_a_name(text)
    wildcard, bare = ("*.", text[2:]) if text.startswith("*.") else ("", text)
    if not bare.isascii() or "xn--" in bare.lower():
        bare = _to_ascii(bare)
    bare = bare.lower()
    bare = bare.removesuffix(".")
    for label in bare.split("."):
        if len(label) > _LABEL_BYTES:
            raise UserError(
                f"{label[:20]}… in the host name is too long: {len(label)} characters",
                f"{_LABEL_BYTES} between two dots are the most",
            )
    return HostName.parse(wildcard + bare)


def shown_host(host: HostName) -> str:
    """Show the name with its own letters in brackets, where other letters are sent."""
    with suppress(idna.IDNAError, UnicodeError):
        letters = idna.decode(host.removeprefix("*."))
        if "xn--" in host and letters.isprintable():
            return f"{host} ({letters})"
    return str(host)


class PublicSuffixes:
    """The list of publicsuffix.org comes with the library."""

    def has(self, host: str) -> bool:
        """Tell whether names below ``host`` are given to anybody. False for what no list knows."""
        return self._list.publicsuffix(host) == host

    @cached_property
    def _list(self) -> PublicSuffixList:
        return PublicSuffixList(accept_unknown=False)


def _refuse_more_than_a_name(text: str) -> None:
    if "://" in text:
        raise UserError(f"{text[:80]!r} is a URL", _host_alone(_host_of(text)))
    with suppress(ValueError):
        ipaddress.ip_address(text.strip("[]").partition("%")[0])
        raise UserError(
            f"{text} is an address, not a name", "give a host name, as in shop.example.com"
        )
    if port := _PORT.fullmatch(text):
        raise UserError(f"{text[:80]!r} has a port", _host_alone(port["host"]))
    if "/" in text:
        raise UserError(f"{text[:80]!r} has a path", _host_alone(text.partition("/")[0]))


def _host_of(url: str) -> str:
    with suppress(ValueError):
        return urlsplit(url).hostname or ""
    return ""


def _host_alone(host: str) -> str:
    example = host if HostName.fits(host.lower()) else "shop.example.com"
    return f"give the host name alone: {example}"


def _to_ascii(host: str) -> str:
    """As browsers do (UTS 46), and strict about letters that are not allowed (IDNA 2008)."""
    try:
        return idna.encode(host, uts46=True, std3_rules=True).decode()
    except (idna.IDNAError, UnicodeError) as error:
        raise UserError(
            f"{host[:80]!r} is not a host name: {_reason(error)}", "check its spelling"
        ) from error


def _reason(error: Exception) -> str:
    text = str(error)
    return f"{text[:1].lower()}{text[1:]}"
