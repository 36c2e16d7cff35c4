"""A finding is the result of one check of the doctor, with the command to type where it is bad."""

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """A check has this result; ``mend`` is the text to type where it is not ``ok``."""

    check: str
    ok: bool
    detail: str
    mend: str = ""


def check_version(name: str, said: str | None, least: Sequence[int], mend: str) -> Finding:
    """Judge a version; ``said`` is the answer of the program, None where it is missing."""
    wanted = ".".join(map(str, least))
    if said is None:
        return Finding(name, False, f"missing; {wanted} or newer is needed", mend)
    found = re.search(r"\d+(\.\d+)+", said)
    version = tuple(map(int, found.group().split("."))) if found else ()
    detail = found.group() if found else said
    if version < tuple(least):
        return Finding(name, False, f"{detail} is too old; {wanted} or newer is needed", mend)
    return Finding(name, True, detail)
