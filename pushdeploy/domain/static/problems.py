"""A problem is what is wrong in a line of a file that people write, and what to do about it."""

from collections.abc import Sequence
from dataclasses import dataclass

MOST_SHOWN = 10
"""Whoever has more of them has made one mistake many times."""


@dataclass(frozen=True, slots=True)
class Problem:
    """``line`` counts from one; nought for a file as a whole."""

    file: str
    line: int
    message: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.file} line {self.line}" if self.line else self.file
        return f"{where}: {self.message}; {self.remedy}"


class Wrong(Exception):
    """A part of a line cannot be used; whoever knows the line makes a ``Problem`` of it."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def at(self, file: str, line: int) -> Problem:
        return Problem(file, line, self.message, self.remedy)


def shown(problems: Sequence[Problem]) -> Sequence[str]:
    """A line for each of the first problems, and how many more there are."""
    lines = [str(problem) for problem in problems[:MOST_SHOWN]]
    if len(problems) > MOST_SHOWN:
        lines.append(f"and {len(problems) - MOST_SHOWN:,} more lines")
    return lines
