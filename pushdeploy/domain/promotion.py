"""A promotion: how the targets of one slug depend on one another, and what became of each."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from pushdeploy.domain.names import AppName
from pushdeploy.domain.release import Reason, Release

Outcome = Literal["succeeded", "failed", "skipped", "rolled back"]


_DESCRIPTION = re.compile(r"Promote (?P<app>\S+) v(?P<version>[0-9]+) [0-9a-f]+")


class Mode(StrEnum):
    """``INDEPENDENT``: each target for itself, side by side. ``ONE_BY_ONE``: the first failure
    stops. ``ALL_OR_NOTHING``: traffic moves when all are ready, and moves back when one fails."""

    INDEPENDENT = "independent"
    ONE_BY_ONE = "one-by-one"
    ALL_OR_NOTHING = "all-or-nothing"


@dataclass(frozen=True, slots=True)
class TargetResult:
    """``version`` is the target's new release, None where none was made."""

    app: AppName
    outcome: Outcome
    version: int | None = None
    error: str = ""


def promotion_of(release: Release) -> str:
    """Describe the releases that ``release`` is promoted to."""
    return f"Promote {release.app} {release.label} {release.slug.commit.short}"


def promoted_from(release: Release) -> tuple[AppName, int] | None:
    """The app and version that ``release`` was promoted from, by the names of that time."""
    match = _DESCRIPTION.fullmatch(release.description)
    if release.reason is not Reason.PROMOTE or match is None:
        return None
    return AppName(match["app"]), int(match["version"])
