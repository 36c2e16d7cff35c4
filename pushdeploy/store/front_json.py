"""The rules of an app's front become JSON and come back, each checked as if it were typed.

What cannot be read is left out, but for rules that keep visitors out: such a one closes the app.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from pushdeploy.domain.front.access import Access, Verdict
from pushdeploy.domain.front.maintenance import Maintenance
from pushdeploy.domain.front.network import Network, in_order, parse_network
from pushdeploy.domain.front.page import parse_error_code
from pushdeploy.domain.front.password import PasswordHash, Passwords, UserName
from pushdeploy.domain.front.path import parse_path
from pushdeploy.domain.front.rate_limits import RateLimits
from pushdeploy.domain.front.redirect import Redirect, parse_redirect
from pushdeploy.domain.front.rules import FrontRules
from pushdeploy.store.reading import Reading, count, text, texts

Json = dict[str, Any]

_NOBODY = Access({parse_network("0.0.0.0/0"): "deny", parse_network("::/0"): "deny"})
_CLOSED = Passwords({"/": {}})


def front_json(rules: FrontRules) -> Json:
    """Return what there is; an app without rules has an empty one."""
    maintenance = rules.maintenance
    found: Json = {
        "maintenance": _maintenance_json(maintenance) if maintenance else None,
        "access": {str(network): verdict for network, verdict in rules.access.verdicts.items()},
        "passwords": {
            path: {str(name): str(hashed) for name, hashed in people.items()}
            for path, people in rules.passwords.paths.items()
        },
        "redirects": [asdict(redirect) for redirect in rules.redirects],
        "limits": {key: value for key, value in asdict(rules.limits).items() if value is not None},
        "pages": {str(code): page for code, page in rules.pages.items()},
    }
    return {name: stored for name, stored in found.items() if stored}


def front_of(stored: object, reading: Reading) -> FrontRules:
    """Read what ``front_json`` has made. A later version may have stored more."""
    if stored is None:
        return FrontRules()
    closed: Maintenance | None = Maintenance()
    if not isinstance(stored, dict):
        reading.lost.append("front")
        return FrontRules(maintenance=closed)
    found: Json = {name: held for name, held in stored.items() if held is not None}
    return FrontRules(
        maintenance=reading.whole(
            "front.maintenance", lambda: _maintenance_of(found.get("maintenance")), closed
        ),
        access=reading.whole("front.access", lambda: _access_of(found.get("access", {})), _NOBODY),
        passwords=reading.whole(
            "front.passwords", lambda: _passwords_of(found.get("passwords", {})), _CLOSED
        ),
        redirects=reading.whole(
            "front.redirects", lambda: tuple(map(_redirect_of, found.get("redirects", ()))), ()
        ),
        limits=reading.whole(
            "front.limits", lambda: _limits_of(found.get("limits", {})), RateLimits()
        ),
        pages=reading.entries("front.pages", found.get("pages", {}), parse_error_code, text),
    )


def _maintenance_json(maintenance: Maintenance) -> Json:
    return {"page": maintenance.page, "allowed": [str(each) for each in maintenance.allowed]}


def _maintenance_of(stored: Mapping[str, Any] | None) -> Maintenance | None:
    if stored is None:
        return None
    page = stored["page"]
    allowed = in_order([parse_network(text(each)) for each in stored["allowed"]])
    return Maintenance(None if page is None else text(page), allowed)


def _access_of(stored: object) -> Access:
    verdicts: dict[Network, Verdict] = {}
    for network, verdict in texts(stored).items():
        verdicts[parse_network(network)] = _verdict(verdict)
    return Access(verdicts)


def _verdict(stored: str) -> Verdict:
    match stored:
        case "allow" | "deny":
            return stored
    raise ValueError(f"{stored!r} is no verdict")


def _passwords_of(stored: Mapping[str, object]) -> Passwords:
    return Passwords(
        {
            parse_path(path): {
                UserName.parse(name): PasswordHash.parse(hashed)
                for name, hashed in texts(people).items()
            }
            for path, people in stored.items()
        }
    )


def _redirect_of(stored: Mapping[str, Any]) -> Redirect:
    return parse_redirect(text(stored["source"]), text(stored["target"]), count(stored["code"]))


def _limits_of(stored: Mapping[str, Any]) -> RateLimits:
    return RateLimits(**{key: count(stored[key]) for key in asdict(RateLimits()) if key in stored})
