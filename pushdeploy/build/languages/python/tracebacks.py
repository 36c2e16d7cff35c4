"""The exception in what a Python program has printed, and what most exceptions want changed."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from pushdeploy.build.plan import Failure
from pushdeploy.domain.packages import PACKAGES

_EXCEPTION = re.compile(r"((?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*)(?:: (.*))?")
_NAMED_LIKE_ONE = re.compile(r"(Error|Exception|Exit|Interrupt|Iteration|Configured)$")
_PLACE = re.compile(r'  File "(?:/app/)?([^"]+)", line (\d+)')


@dataclass(frozen=True, slots=True)
class Raised:
    """``name`` without its module; ``place`` is the file and line of SyntaxErrors and the like."""

    name: str
    message: str
    place: str = ""

    def __str__(self) -> str:
        return f"{self.name}: {self.message}" if self.message else self.name


def last_exception(lines: Sequence[str]) -> Raised | None:
    """The exception that a traceback in ``lines`` ends with, the first line of its message."""
    place = ""
    found: Raised | None = None
    for line in lines:
        if match := _PLACE.match(line):
            place = f"{match.group(1)}, line {match.group(2)}"
        elif (match := _EXCEPTION.fullmatch(line)) and _names_one(match):
            found = Raised(match.group(1).rpartition(".")[2], (match.group(2) or "").strip(), place)
    return found


def explained_import(raised: Raised, own: Collection[str], requirements: str) -> Failure | None:
    """What a failed import wants; ``own`` are the names in the app's top directory."""
    if match := re.fullmatch(r"(?:.*: )?No module named '?([\w.]+)'?(?:;.*)?", raised.message):
        module = match.group(1)
        top = module.partition(".")[0]
        if {f"{top}/", f"{top}.py"} & set(own):
            return Failure(
                f"there is no module {module} in the source",
                f"is it in the commit?  git status --ignored  tells; imported in {raised.place}",
            )
        package = PACKAGES.get(top, top)
        return Failure(
            f"there is no module {module} in the slug",
            f"add  {package}  to {requirements}, commit and push",
        )
    if raised.name == "ImportError":
        return Failure(f"{raised} ({raised.place})", f"mend {raised.place}, commit and push")
    return None


def _names_one(match: "re.Match[str]") -> bool:
    named = match.group(1).rpartition(".")[2]
    return bool(_NAMED_LIKE_ONE.search(named)) or (
        match.group(2) is not None and "." in match.group(1)
    )
