"""A log that is quoted is better without what our own health checks left in it. Pure."""

import re
from collections.abc import Iterable, Sequence

from pushdeploy.domain.plain import plain
from pushdeploy.run.http_check import AGENT, target_of

_STATUS = re.compile(r"\b[1-5]\d\d\b")


def without_own_visits(lines: Sequence[str], paths: Iterable[str]) -> Sequence[str]:
    """Leave out lines of access logs about a check of ``paths``, unless there are no others.

    To be asked before visitors come, for most servers do not log who has asked.
    """
    targets = "|".join(re.escape(target_of(path)) for path in paths)
    visit = re.compile(rf'\bGET (?:{targets or "(?!)"})(?: HTTP/[\d.]+)?"? (?:- )?[1-5]\d\d\b')
    others = [line for line in lines if not _is_own(plain(line), visit)]
    return others if any(map(str.strip, others)) else lines


def _is_own(line: str, visit: re.Pattern[str]) -> bool:
    return bool(visit.search(line) or (AGENT in line and _STATUS.search(line)))
