"""The door of an app: pure functions turn the rules of its front into what templates print.

All values that stand in nginx's files are checked here once more, whoever has made the rules.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from string import ascii_letters, digits
from urllib.parse import unquote_to_bytes

from pushdeploy.domain.front.access import Access
from pushdeploy.domain.front.network import Network
from pushdeploy.domain.front.password import PasswordHash, Passwords, People, UserName
from pushdeploy.domain.front.rate_limits import RateLimits
from pushdeploy.domain.front.redirect import CODES, Redirect, in_turn
from pushdeploy.domain.front.rules import FrontRules
from pushdeploy.domain.names import AppName
from pushdeploy.domain.site import Site

_NETWORK = re.compile(r"[0-9a-f.:]+/[0-9]{1,3}")
_ADDRESS = re.compile(r"[A-Za-z0-9:/?#\[\]@!&'()*+,;=._~%-]+")
_OF_ANY_WORKER = ("502", "504")
"""A worker that cannot reach the app asks the server on control.sock, which shows these pages."""

_PLAIN = frozenset(b"/" + ascii_letters.encode() + digits.encode())
_NO_LETTER = "(?![A-Za-z0-9_-])"
"""What follows /admin where /administration is another path; /admin.php and /admin;x are not."""


@dataclass(frozen=True, slots=True)
class Door:
    """``name`` stands in the names of the app's variables.

    ``pages`` are the places below /.pushdeploy/ by the status that they are shown for;
    ``unavailable`` is that of the app's own page where nothing serves, empty without one. ``files``
    are those of the app's own, by name. ``people`` are files of passwords by the regular
    expression of their path, the longest first; ``redirects`` are addresses after their codes, by
    that of their source.
    """

    name: str
    maintenance: bool = False
    insiders: Sequence[str] = ()
    verdicts: Mapping[str, str] = field(default_factory=dict)
    others: str = "allow"
    people: Mapping[str, str] = field(default_factory=dict)
    below: bool = False
    redirects: Mapping[str, str] = field(default_factory=dict)
    codes: Sequence[int] = ()
    requests: int | None = None
    burst: int = 0
    connections: int | None = None
    pages: Mapping[int, str] = field(default_factory=dict)
    unavailable: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)
    answers: bool = False


def door_of(site: Site) -> Door:
    """Raise ``ValueError`` for a value that is not what it should be."""
    rules, files = site.rules, dict[str, bytes]()
    pages, unavailable = _pages(rules, files)
    redirects = {_source(each): _answer(each) for each in in_turn(rules.redirects)}
    limits = rules.limits
    return Door(
        # No app's name has an underscore, so no two apps share one.
        name=AppName.parse(site.app).replace("-", "_"),
        maintenance=rules.maintenance is not None,
        insiders=_networks(rules.maintenance.allowed if rules.maintenance else ()),
        verdicts=_verdicts(rules.access),
        others=rules.access.of_others,
        people=_people(rules.passwords, files),
        below=any(path != "/" for path in rules.passwords.paths),
        redirects=redirects,
        codes=sorted({each.code for each in rules.redirects}),
        requests=_count(limits.requests),
        burst=int(limits.burst_of),
        connections=_count(limits.connections),
        pages=pages,
        unavailable=unavailable,
        files=files,
        answers=_answers(rules),
    )


def _answers(rules: FrontRules) -> bool:
    """Tell whether a visitor may get an answer of nginx in place of the app's."""
    limited = rules.limits != RateLimits()
    closed = rules.access.verdicts or rules.passwords.paths or rules.redirects
    return rules.maintenance is not None or bool(closed) or limited


def _pages(rules: FrontRules, files: dict[str, bytes]) -> tuple[dict[int, str], str]:
    pages = {int(code): _page(str(int(code)), own, files) for code, own in rules.pages.items()}
    unavailable = pages.get(503, "")
    if rules.maintenance is not None:
        pages[503] = _page("maintenance", rules.maintenance.page, files)
    return pages, unavailable


def _page(name: str, own: str | None, files: dict[str, bytes]) -> str:
    """The place of the app's ``own`` page, which is put among ``files``, else of ours."""
    if own is None:
        return f"{name}$pushdeploy_page"
    if name in _OF_ANY_WORKER:
        files[f"{name}.html"] = own.encode()
        return f"own/{name}.html"
    return f"own/{_kept(name, '.html', own.encode(), files)}"


def _kept(name: str, ending: str, content: bytes, files: dict[str, bytes]) -> str:
    file = f"{name}-{hashlib.sha256(content).hexdigest()[:32]}{ending}"
    files[file] = content
    return file


def _verdicts(access: Access) -> Mapping[str, str]:
    if not set(access.verdicts.values()) <= {"allow", "deny"}:
        raise ValueError("a verdict is neither allow nor deny")
    return {_network(network): verdict for network, verdict in access.verdicts.items()}


def _networks(networks: Sequence[Network]) -> Sequence[str]:
    return [_network(network) for network in networks]


def _network(network: Network) -> str:
    text = str(network)
    if not _NETWORK.fullmatch(text):
        raise ValueError(f"{text!r} is no network")
    return text


def _people(passwords: Passwords, files: dict[str, bytes]) -> Mapping[str, str]:
    """The whole app comes last, for whatever no other path is for."""
    longest_first = sorted(passwords.paths, key=len, reverse=True)
    return {
        _below(path): _kept("people", "", _lines(passwords.paths[path]), files)
        for path in longest_first
    }


def _below(path: str) -> str:
    """In any case: some apps take /Admin for /admin."""
    stem = path.rstrip("/")
    return f"~*^{_literal(unquote_to_bytes(stem))}{_NO_LETTER if stem else ''}"


def _lines(people: People) -> bytes:
    lines = [f"{UserName.parse(name)}:{PasswordHash.parse(held)}" for name, held in people.items()]
    return "".join(f"{line}\n" for line in lines).encode()


def _source(redirect: Redirect) -> str:
    """Looked for in the address as it was sent, so that what follows is sent on as it is."""
    stem = redirect.source.removesuffix("*")
    if not redirect.is_prefix:
        return f"~^{_literal(stem.encode())}(?:\\?|$)"
    # What is left begins with no slash, lest it name a host behind a target that ends in one.
    slashes = r"[/\x5c]*" if stem.endswith("/") else ""
    return f"~^{_literal(stem.encode())}{slashes}(?<pushdeploy_rest>[^?]*)"


def _answer(redirect: Redirect) -> str:
    if redirect.code not in CODES or not _ADDRESS.fullmatch(redirect.target):
        raise ValueError(f"{redirect.target[:80]!r} is no address")
    address, hash_sign, fragment = redirect.target.partition("#")
    if address.endswith("*") and not hash_sign:
        address = f"{address[:-1]}$pushdeploy_rest"
    query = "" if "?" in address else "$is_args$args"
    return f"{redirect.code}:{address}{query}{hash_sign}{fragment}"


def _literal(data: bytes) -> str:
    """A regular expression for these bytes and no others, in which nothing means anything."""
    return "".join(chr(byte) if byte in _PLAIN else f"\\x{byte:02x}" for byte in data)


def _count(number: int | None) -> int | None:
    return None if number is None else int(number)
