"""Answers: a table on a terminal, plain columns in a pipe, one JSON document when asked for it."""

import io
import json
from collections.abc import Callable, Container, Mapping, Sequence
from datetime import UTC, datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pushdeploy.commands.face.request import Request
from pushdeploy.commands.session import Session
from pushdeploy.domain.plain import plain, plain_sink
from pushdeploy.domain.ports import WindowSize
from pushdeploy.output import Output, Sink, columns

Row = Mapping[str, object]
"""Stable snake_case keys; values that JSON has, or aware datetimes."""


def output_of(session: Session) -> Output:
    """Lines to the client, safe to show, with colours on a terminal; trouble to its stderr."""
    return Output(_lines(session, session.write), trouble_sink=_lines(session, session.write_error))


def errors_of(session: Session) -> Output:
    """All lines to the client's stderr: what is said beside a document on stdout."""
    return Output(_lines(session, session.write_error))


def show_rows(request: Request, form: str, rows: Sequence[Row], shown: Sequence[str]) -> None:
    """``shown`` are the keys that people see; JSON has them all."""
    if form == "json":
        show_json(request, list(rows))
        return
    cells = [[_cell(row[key]) for key in shown] for row in rows]
    _write(request, _table(request.session, shown, cells))


def show_record(request: Request, form: str, record: Row, *, left_out: Container[str] = ()) -> None:
    """One thing: ``key:  value`` a line. JSON also has what is ``left_out`` for people."""
    if form == "json":
        show_json(request, record)
        return
    shown = [(key, value) for key, value in record.items() if key not in left_out]
    _write(request, columns([(f"{_title(key)}:", _cell(value)) for key, value in shown]))


def show_lines(request: Request, form: str, lines: Sequence[str]) -> None:
    if form == "json":
        show_json(request, list(lines))
        return
    _write(request, lines)


def show_json(request: Request, document: object) -> None:
    request.output.line(json.dumps(document, indent=2, default=_json_value))


def moment(at: datetime) -> str:
    """For people, in UTC: ``2026-01-31 12:00:00``."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"


def _write(request: Request, lines: Sequence[str]) -> None:
    for line in lines:
        request.output.line(line)


def show_data(request: Request, text: str) -> None:
    """What a program reads: as it is in a pipe, safe to show on a terminal."""
    if request.session.terminal is None:
        request.session.write(f"{text}\n".encode("utf-8", "replace"))
        return
    request.output.line(text)


def _lines(session: Session, write: Callable[[bytes], None]) -> Sink:
    def encoded(line: str) -> None:
        write(f"{line}\n".encode("utf-8", "replace"))

    return plain_sink(encoded, colours=session.terminal not in {None, "dumb"})


def _table(session: Session, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Sequence[str]:
    """Plain columns without a head in a pipe: what scripts cut apart."""
    if session.terminal is None:
        return columns(rows)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for title in head:
        table.add_column(_title(title), overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return _rendered(table, session)


def _rendered(table: Table, session: Session) -> Sequence[str]:
    sizes = [WindowSize()]
    session.on_resize(sizes.append)
    text = io.StringIO()
    console = Console(
        file=text,
        force_terminal=True,
        color_system=None if session.terminal == "dumb" else "standard",
        width=sizes[-1].columns,
        _environ={"TERM": session.terminal or "dumb"},
    )
    console.print(table)
    return [line.rstrip() for line in text.getvalue().splitlines()]


def _title(key: str) -> str:
    return key.replace("_", " ")


def _cell(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, Mapping):
        return " ".join(f"{key}={_cell(item)}" for key, item in value.items()) or "-"
    if isinstance(value, list | tuple):
        return ", ".join(_cell(item) for item in value) or "-"
    return plain(str(value))


def _json_value(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not for JSON")
