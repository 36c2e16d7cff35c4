"""A finding: what one check of the doctor saw, and what to type where that is wrong."""

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check saw; ``mend`` is what to type where it is not ``ok``."""

    check: str
    ok: bool
    detail: str
    mend: str = ""


def check_version(name: str, said: str | None, least: Sequence[int], mend: str) -> Finding:
    """``said`` is what the program answered, None where it is missing."""
    wanted = ".".join(map(str, least))
    if said is None:
        return Finding(name, False, f"missing; {wanted} or newer is needed", mend)
    found = re.search(r"\d+(\.\d+)+", said)
    version = tuple(map(int, found.group().split("."))) if found else ()
    detail = found.group() if found else said
    if version < tuple(least):
        return Finding(name, False, f"{detail} is too old; {wanted} or newer is needed", mend)
    return Finding(name, True, detail)
