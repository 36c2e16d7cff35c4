"""Text that apps and repositories bring, made safe to show: it steers no terminal, hides nothing.

Escape sequences (ECMA-48, xterm's ctlseqs), other control characters and marks that change the
direction of text (Unicode UAX 9) are left out; what a carriage return would overwrite is shown.
"""

import re
from collections.abc import Callable

_SUSPICIOUS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb"
    r"\U000e0000-\U000e007f]"
)
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)(?P<arguments>[0-?]*)[ -/]*(?P<final>[@-~])"
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x90\x98\x9c-\x9f]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[ -/]*[0-~]"
)
"""CSI; the strings OSC, DCS, SOS, PM and APC; all shorter ones. What has no end loses its start."""

_SPACES = re.compile(r"[\x0b\x0c\x1c-\x1f\x85\u2028\u2029]")
_RESET = "\x1b[0m"
_CODES = re.compile(r"[0-9;]*")
_COLOURS = frozenset(
    {"0", "1", "2", "3", "4", "22", "23", "24", "39"}
    | {str(code) for code in (*range(31, 37), *range(91, 97))}
)
"""Bold, underlined and colours of letters that can be read on any ground. Never concealed (8), nor
a background that letters vanish in."""

_MOST_OVERWRITTEN = 4


def plain_lines(text: str, *, colours: bool = False) -> list[str]:
    """The lines of ``text``, with plain colours where they are wanted, put back at each line's end.

    What would overwrite a line is a line of its own; of a long progress bar the last state is left,
    with a word about the others.
    """
    if not _SUSPICIOUS.search(text):
        return text.split("\n")
    return [
        _neutral(part, colours=colours) for line in text.split("\n") for part in _overwritten(line)
    ]


def plain(text: str) -> str:
    """The same without colours, as one line."""
    return " ".join(plain_lines(text)) if "\n" in text or _SUSPICIOUS.search(text) else text


def plain_sink(write: Callable[[str], None], *, colours: bool = False) -> Callable[[str], None]:
    """Takes lines from anywhere and hands them on safe to show."""

    def sink(text: str) -> None:
        for line in plain_lines(text, colours=colours):
            write(line)

    return sink


def _overwritten(line: str) -> list[str]:
    """What a terminal would show one after the other in the same place."""
    if "\r" not in line:
        return [line]
    states = [state for state in line.split("\r") if _neutral(state, colours=False).strip()]
    if len(states) > _MOST_OVERWRITTEN:
        return [f"[{len(states) - 1} lines that were overwritten]", states[-1]]
    return states or [""]


def _neutral(line: str, *, colours: bool) -> str:
    pieces, position, coloured = [], 0, False
    for found in _SEQUENCE.finditer(line):
        pieces.append(_without_controls(line[position : found.start()]))
        position = found.end()
        if colours and (colour := _colour(found)):
            pieces.append(colour)
            coloured = colour != _RESET
    pieces.append(_without_controls(line[position:]))
    return "".join(pieces) + (_RESET if coloured else "")


def _without_controls(text: str) -> str:
    return _SUSPICIOUS.sub("", _SPACES.sub(" ", text))


def _colour(found: re.Match[str]) -> str:
    """What is left of a change of colours; empty for everything else."""
    if found["final"] != "m" or not _CODES.fullmatch(found["arguments"]):
        return ""
    codes = [code.lstrip("0") or "0" for code in found["arguments"].split(";")]
    if "38" in codes or "48" in codes:  # what follows those two are no codes
        return ""
    kept = [code for code in codes if code in _COLOURS]
    return f"\x1b[{';'.join(kept)}m" if kept else ""
