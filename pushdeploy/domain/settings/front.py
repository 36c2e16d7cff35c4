"""These settings of an app decide how its requests are passed on."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.published import parse_folders
from pushdeploy.domain.settings.setting import (
    DAY,
    HOUR,
    Affects,
    Setting,
    seconds,
    setting,
    size,
    switch,
)
from pushdeploy.domain.units import parse_seconds


def _parse_header_names(text: str) -> str:
    if text not in {"standard", "any"}:
        raise UserError(f"{text[:40]!r} is no kind of header names", "write standard, or any")
    return text


def _parse_https(text: str) -> str:
    if text not in {"redirect", "both", "only"}:
        raise UserError(f"{text[:40]!r} says nothing of https", "write redirect, both or only")
    return text


def _parse_hsts(text: str) -> str:
    """Seconds, or a time with its unit, and the two words that the header knows (RFC 6797, 6.1)."""
    time, *words = (part.strip() for part in text.replace(";", ",").split(","))
    if time.lower() == "off" and not words:
        return "off"
    known = {word.lower(): word for word in _HSTS_WORDS}
    if unknown := [word for word in words if word.lower() not in known]:
        raise UserError(
            f"{unknown[0][:40]!r} is no word of hsts", "write off, or 180d,includeSubDomains"
        )
    seconds = parse_seconds(time.lower().removeprefix("max-age="))
    if seconds > _MOST_HSTS_SECONDS:
        raise UserError(f"{time} is longer than two years", "browsers forget that nowhere else")
    chosen = list(dict.fromkeys(known[word.lower()] for word in words))
    if "preload" in chosen and (seconds < _PRELOAD_SECONDS or "includeSubDomains" not in chosen):
        raise UserError(
            "preload needs a year at least, and includeSubDomains",
            "hsts=365d,includeSubDomains,preload; it is built into browsers, and hard to take back",
        )
    return ",".join([str(seconds), *chosen])


def hsts_header(value: str) -> str:
    """Return the value of the header; empty for ``off`` and for what is no value of the setting."""
    try:
        time, *words = _parse_hsts(value).split(",")
    except UserError:
        return ""
    return "" if time == "off" else "; ".join([f"max-age={int(time)}", *words])


_HSTS_WORDS = ("includeSubDomains", "preload")
_MOST_HSTS_SECONDS = 2 * 366 * DAY
_PRELOAD_SECONDS = 365 * DAY
_HTTPS = Setting("https", "redirect, both, or only", Affects.ROUTE, _parse_https)
_HSTS = Setting("hsts", "https alone, for so long", Affects.ROUTE, _parse_hsts)


def _parse_protocol(text: str) -> str:
    """gRPC is HTTP/2 with rules of its own on top."""
    known = {"http1": "http1", "h2c": "h2c", "grpc": "h2c"}
    if text not in known:
        raise UserError(f"{text[:40]!r} is no protocol of an app", "write http1, h2c, or grpc")
    return known[text]


_PROTOCOL = Setting("protocol", "http1, or h2c: gRPC", Affects.ROUTE, _parse_protocol)
_HEADER_NAMES = Setting(
    "header-names", "standard, or any: _ and .", Affects.ROUTE, _parse_header_names
)


_STATIC = Setting(
    "static",
    "folders of the slug that are served before web, as /static/=staticfiles",
    Affects.ROUTE,
    parse_folders,
    ",".join,
)


@dataclass(frozen=True, slots=True)
class FrontSettings:
    """``buffering``: answers are taken in whole before a slow visitor reads them, instead of
    passed on piece by piece as they come.

    ``header_names``: ``any`` passes those with underscores and dots on as well.

    ``https``: plain http is sent to https where the host has a certificate (``redirect``), served
    beside it (``both``), or refused (``only``). ``hsts`` tells browsers to ask by https alone for
    so many seconds: ``off``, or as ``31536000,includeSubDomains,preload``.
    """

    drain_seconds: int = seconds("drain", "for requests on old tasks", 30, 0, HOUR)
    body_limit_bytes: int = size(
        "body-limit", "of a request's body", 100 * 1024**2, 1024, 1024**4, Affects.ROUTE
    )
    read_timeout_seconds: int = seconds(
        "read-timeout", "for an app that says nothing", 60, 1, DAY, Affects.ROUTE
    )
    buffering: bool = switch("buffering", "of answers for slow visitors", Affects.ROUTE)
    sticky: bool = switch("sticky", "each visitor to one of web=N", Affects.ROUTE)
    cache: bool = switch("cache", "of answers that say so", Affects.ROUTE)
    protocol: Literal["http1", "h2c"] = setting("http1", _PROTOCOL)
    header_names: Literal["standard", "any"] = setting("standard", _HEADER_NAMES)
    static_folders: Sequence[str] = setting((), _STATIC)
    https: Literal["redirect", "both", "only"] = setting("redirect", _HTTPS)
    hsts: str = setting("off", _HSTS)
