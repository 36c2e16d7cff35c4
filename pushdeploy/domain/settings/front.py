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


def _parse_header_names(text: str) -> str:
    if text not in {"standard", "any"}:
        raise UserError(f"{text[:40]!r} is no kind of header names", "write standard, or any")
    return text


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
    header_names: Literal["standard", "any"] = setting("standard", _HEADER_NAMES)
    static_folders: Sequence[str] = setting((), _STATIC)
