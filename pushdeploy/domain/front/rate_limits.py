"""Rate limits: how much one visitor may ask of an app."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from pushdeploy.domain.errors import UserError

_WORDS = {"requests": 1_000_000, "burst": 1_000_000, "connections": 65_536}
_HINT = "limits:set APP requests=10 burst=20 connections=5; an empty value takes one away"
_COUNT = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class RateLimits:
    """An address may make ``requests`` a second, and ``burst`` more at once, and ``connections`` at
    a time, which over HTTP/2 are requests at a time. None sets no limit.
    """

    requests: int | None = None
    burst: int | None = None
    connections: int | None = None

    @property
    def burst_of(self) -> int:
        """Return the burst that holds: without one, as many as a second has."""
        return self.burst if self.burst is not None else self.requests or 0


def changed_limits(limits: RateLimits, words: Sequence[str]) -> RateLimits:
    """``limits`` with ``requests=10`` and the like applied; ``UserError`` for another word."""
    for word in words:
        key, equals, text = word.partition("=")
        if key not in _WORDS or not equals:
            raise UserError(f"{word[:40]!r} is no limit", _HINT)
        limits = replace(limits, **{key: _count(key, text) if text else None})
    if limits.burst is not None and limits.requests is None:
        raise UserError(
            "a burst goes beyond requests a second, and there is no limit of those", _HINT
        )
    return limits


def shown_limits(limits: RateLimits) -> Mapping[str, int | None]:
    """Show every limit by the word that sets it."""
    return asdict(limits)


def _count(key: str, text: str) -> int:
    least = 0 if key == "burst" else 1
    if not _COUNT.fullmatch(text) or not least <= int(text) <= _WORDS[key]:
        raise UserError(f"{key}={text[:20]} is no number from {least} to {_WORDS[key]}", _HINT)
    return int(text)
