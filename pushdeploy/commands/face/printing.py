"""Answers are printed as a table on a terminal; as plain columns in a pipe, with their heads on
stderr, where scripts do not look; as one JSON document when asked for it."""

import io
import json
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from textwrap import wrap

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pushdeploy.commands.face.request import Request
from pushdeploy.commands.session import Session
from pushdeploy.domain.asker import Asker
from pushdeploy.domain.plain import plain, plain_sink
from pushdeploy.domain.ports.streams import WindowSize
from pushdeploy.output import Output, Sink, columns

_LEAST_ROOM = 20
"""Of characters for a value, however narrow the terminal is."""

Row = Mapping[str, object]
"""Stable snake_case keys; values that JSON has, or aware datetimes."""


def output_of(session: Session) -> Output:
    """Lines to the client, safe to show, with colours on a terminal; trouble to its stderr."""
    return Output(_lines(session, session.write), trouble_sink=_lines(session, session.write_error))


def errors_of(session: Session) -> Output:
    """All lines to the client's stderr: what is said beside a document on stdout."""
    return Output(_lines(session, session.write_error))


def asker_beside(request: Request, form: str) -> Asker:
    """The asker of a request, who reads on stderr where stdout is one document."""
    asker = request.asker
    return replace(asker, output=errors_of(request.session)) if form == "json" else asker


def show_rows(
    request: Request, form: str, rows: Sequence[Row], shown: Sequence[str], *, empty: str = ""
) -> None:
    """``shown`` are the keys that people see; JSON has them all.

    ``empty`` tells people, where there is no row, what would make one.
    """
    if form == "json":
        show_json(request, list(rows))
        return
    if not rows:
        if empty:
            errors_of(request.session).line(empty)
        return
    now = datetime.now(UTC)
    cells = [[_cell(row[key], now) for key in shown] for row in rows]
    if request.session.terminal is None:
        head, *lines = columns(cells, [_title(key) for key in shown])
        errors_of(request.session).line(head)
        _write(request, lines)
    else:
        _write(request, _table(request.session, shown, cells))


def show_record(request: Request, form: str, record: Row, *, left_out: Container[str] = ()) -> None:
    """Show one record as ``key:  value`` lines. JSON also has what is ``left_out`` for people."""
    if form == "json":
        show_json(request, record)
        return
    shown = [(key, value) for key, value in record.items() if key not in left_out]
    now = datetime.now(UTC)
    cells = [(f"{_title(key)}:", _cell(value, now)) for key, value in shown]
    terminal = request.session.terminal is not None
    _write(request, _hanging(request.session, cells) if terminal else columns(cells))


def show_lines(request: Request, form: str, lines: Sequence[str], *, empty: str = "") -> None:
    """``empty`` tells people, where there is no line, what would make one."""
    if form == "json":
        show_json(request, list(lines))
        return
    if not lines and empty:
        errors_of(request.session).line(empty)
    _write(request, lines)


def show_json(request: Request, document: object) -> None:
    request.output.line(json.dumps(document, indent=2, default=_json_value))


def moment(at: datetime) -> str:
    """For people, in UTC: ``2026-01-31 12:00:00``."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def ago(at: datetime, now: datetime) -> str:
    """``3 h ago``, in the unit that a person would use; ``just now`` for less than a minute."""
    seconds = (now - at).total_seconds()
    for unit, length in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if abs(seconds) >= length * (2 if unit == "days" else 1):
            count = int(abs(seconds) // length)
            return f"{count} {unit} ago" if seconds > 0 else f"in {count} {unit}"
    return "just now"


def _write(request: Request, lines: Sequence[str]) -> None:
    for line in lines:
        request.output.line(line)


def show_data(request: Request, text: str) -> None:
    """Write data for programs: as it is in a pipe, safe to show on a terminal."""
    if request.session.terminal is None:
        request.session.write(f"{text}\n".encode("utf-8", "replace"))
        return
    request.output.line(text)


def _lines(session: Session, write: Callable[[bytes], None]) -> Sink:
    def encoded(line: str) -> None:
        write(f"{line}\n".encode("utf-8", "replace"))

    return plain_sink(encoded, colours=session.terminal not in {None, "dumb"})


def _table(session: Session, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Sequence[str]:
    """Words are broken only where one is longer than the terminal is wide."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for index, title in enumerate(head):
        words = [word for row in rows for word in row[index].split()]
        table.add_column(_title(title), overflow="fold", min_width=max(map(len, words), default=1))
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return _rendered(table, session)


def _hanging(session: Session, cells: Sequence[tuple[str, str]]) -> Sequence[str]:
    """A value that the terminal is too narrow for goes on below itself, word by word."""
    indent = " " * (max(len(title) for title, _ in cells) + 2)
    room = max(_size(session).columns - len(indent), _LEAST_ROOM)
    lines = []
    for title, value in cells:
        first, *more = wrap(value, room, break_long_words=False, break_on_hyphens=False) or [""]
        lines += [f"{title:{len(indent)}}{first}".rstrip(), *(indent + part for part in more)]
    return lines


def _size(session: Session) -> WindowSize:
    sizes = [WindowSize()]
    session.on_resize(sizes.append)
    return sizes[-1]


def _rendered(table: Table, session: Session) -> Sequence[str]:
    text = io.StringIO()
    console = Console(
        file=text,
        force_terminal=True,
        color_system=None if session.terminal == "dumb" else "standard",
        width=_size(session).columns,
        _environ={"TERM": session.terminal or "dumb"},
    )
    console.print(table)
    return [line.rstrip() for line in text.getvalue().splitlines()]


def _title(key: str) -> str:
    return key.replace("_", " ")


def _cell(value: object, now: datetime) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{moment(value)} ({ago(value, now)})"
    if isinstance(value, Mapping):
        return " ".join(f"{key}={_cell(item, now)}" for key, item in value.items()) or "-"
    if isinstance(value, list | tuple):
        return ", ".join(_cell(item, now) for item in value) or "-"
    return plain(str(value))


def _json_value(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not for JSON")
