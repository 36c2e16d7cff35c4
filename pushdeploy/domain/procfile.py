"""A Procfile: one ``name: command`` a line, as Heroku reads it."""

import re
from collections.abc import Mapping

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import ProcessType

MOST_TYPES = 200
MOST_COMMAND_BYTES = 64 * 1024
"""Linux takes 128 KB in one argument (MAX_ARG_STRLEN of execve(2)), and a shell is around it."""

_LINE = re.compile(r"([A-Za-z0-9_-]+)\s*:\s*(.+)")
_CONTINUED = re.compile(r"(?<!\\)(?:\\\\)*\\$")
"""An odd number of backslashes: two of them are one for the shell."""

_NEWLINE = re.compile(r"\r\n|\n|\r")
_MERGE_MARKERS = ("<<<<<<<", "=======", ">>>>>>>")


def parse_procfile(text: str) -> Mapping[ProcessType, str]:
    """Process types in the order of the file, ``release`` among them.

    CRLF, blank lines and ``#`` comments are tolerated. Merge markers, names that stand twice,
    lines that want to go on below and lines of any other form raise ``UserError`` with the line
    number.
    """
    commands: dict[ProcessType, str] = {}
    for number, raw in enumerate(_NEWLINE.split(text.removeprefix("\ufeff")), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith(_MERGE_MARKERS):
            raise UserError(
                f"Procfile line {number} is a merge marker: {line}", "resolve the merge and push"
            )
        if _CONTINUED.search(line):
            raise UserError(
                f"Procfile line {number} ends with a backslash, and a line cannot be continued:"
                f" {line[:80]}",
                "write the command on one line, or put it into a script of the app and run that",
            )
        match = _LINE.fullmatch(line)
        if not match or "\0" in line or not ProcessType.fits(match.group(1)):
            raise UserError(
                f"Procfile line {number} is not 'name: command': {line[:80]}",
                "write it like  web: gunicorn mysite.wsgi",
            )
        name = ProcessType(match.group(1))
        if name in commands:
            raise UserError(f"Procfile line {number} names {name} a second time", "keep one")
        commands[name] = match.group(2).strip()
        _refuse_too_much(number, name, commands)
    return commands


def _refuse_too_much(number: int, name: ProcessType, commands: Mapping[ProcessType, str]) -> None:
    if len(commands) > MOST_TYPES:
        raise UserError(
            f"Procfile line {number} is process type {len(commands)}", f"{MOST_TYPES} are possible"
        )
    if len(commands[name].encode("utf-8", "replace")) > MOST_COMMAND_BYTES:
        raise UserError(
            f"Procfile line {number}: the command of {name} is larger than"
            f" {MOST_COMMAND_BYTES // 1024} KB",
            "put it into a script of the app and run that",
        )
