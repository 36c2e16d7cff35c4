"""These settings of an app decide how its requests are passed on."""

from dataclasses import dataclass, field
from typing import Literal

from pushdeploy.domain.settings.setting import DAY, HOUR, Affects, choice, seconds, size, switch


@dataclass(frozen=True, slots=True)
class FrontSettings:
    """``buffering``: answers are taken in whole before a slow visitor reads them, instead of
    passed on piece by piece as they come.

    ``header_names``: ``any`` passes those with underscores and dots on as well.
    """

    drain_seconds: int = field(
        default=30,
        metadata=seconds("drain", "for requests on old tasks", Affects.NOTHING, 0, HOUR),
    )
    body_limit_bytes: int = field(
        default=100 * 1024**2,
        metadata=size("body-limit", "of a request's body", Affects.ROUTE, 1024, 1024**4),
    )
    read_timeout_seconds: int = field(
        default=60,
        metadata=seconds("read-timeout", "for an app that says nothing", Affects.ROUTE, 1, DAY),
    )
    buffering: bool = field(
        default=False,
        metadata=switch("buffering", "of answers for slow visitors", Affects.ROUTE),
    )
    header_names: Literal["standard", "any"] = field(
        default="standard",
        metadata=choice(
            "header-names",
            "standard, or any: _ and .",
            Affects.ROUTE,
            kind="kind of header names",
            words=("standard", "any"),
        ),
    )
