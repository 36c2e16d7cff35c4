"""Maintenance: visitors of an app are shown a page, but for those from some addresses."""

from collections.abc import Sequence
from dataclasses import dataclass

from pushdeploy.domain.front.network import Network


@dataclass(frozen=True, slots=True)
class Maintenance:
    """``page`` is the app's own, None for ours. Visitors from ``allowed`` see the app."""

    page: str | None = None
    allowed: Sequence[Network] = ()
