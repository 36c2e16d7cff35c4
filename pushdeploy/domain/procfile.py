"""A Procfile: one ``name: command`` a line, as Heroku reads it."""

import re
from collections.abc import Mapping

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import ProcessType

_LINE = re.compile(r"([A-Za-z0-9_-]+)\s*:\s*(.+)")
_NEWLINE = re.compile(r"\r\n|\n|\r")
_MERGE_MARKERS = ("<<<<<<<", "=======", ">>>>>>>")


def parse_procfile(text: str) -> Mapping[ProcessType, str]:
    """Process types in the order of the file, ``release`` among them.

    CRLF, blank lines and ``#`` comments are tolerated. Merge markers, names that stand twice and
    lines of any other form raise ``UserError`` with the line number.
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
    return commands
