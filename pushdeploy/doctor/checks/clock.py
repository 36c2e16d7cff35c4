"""Whether the clock is right: a wrong one breaks certificates and the order of releases."""

import os
import time
from collections.abc import Sequence
from pathlib import Path

from pushdeploy.doctor.check import Check, Installation
from pushdeploy.doctor.machine import said
from pushdeploy.domain.finding import Finding

EARLIEST_YEAR = 2025
SLACK_SECONDS = 300


def check_clock(now: float, newest: float, synchronised: str) -> Finding:
    """``newest`` is when the youngest file was written; ``synchronised``: yes, no, or empty."""
    mend = "timedatectl set-ntp true"
    year = time.gmtime(now).tm_year
    if year < EARLIEST_YEAR:
        return Finding("clock", False, f"it is not {year}", mend)
    if newest > now + SLACK_SECONDS:
        return Finding("clock", False, "files in the home are from the future", mend)
    told = {"yes": ", synchronised", "no": ", not synchronised"}.get(synchronised, "")
    return Finding("clock", True, time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now)) + told)


def _look(installation: Installation) -> Sequence[Finding]:
    return [check_clock(time.time(), _newest(installation.home.root), _synchronised())]


def _newest(root: Path) -> float:
    paths = [root, *root.iterdir()] if root.is_dir() and os.access(root, os.R_OK) else []
    return max((path.lstat().st_mtime for path in paths), default=0)


def _synchronised() -> str:
    """``yes``, ``no``, or empty where systemd cannot say."""
    return said("timedatectl", "show", "--property=NTPSynchronized", "--value") or ""


CHECK = Check(140, _look)
