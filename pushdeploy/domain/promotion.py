"""A promotion: how the targets of one slug depend on one another, and what became of each."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from pushdeploy.domain.names import AppName

Outcome = Literal["succeeded", "failed", "skipped", "rolled back"]


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
