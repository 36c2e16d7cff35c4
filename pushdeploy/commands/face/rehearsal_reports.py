"""Rehearsals are told to people as a summary, and to programs as a document."""

from collections.abc import Iterator, Mapping, Sequence

from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.rehearsal import (
    CommandRun,
    DatabaseChange,
    DiskGrowth,
    Hold,
    NameChanges,
    Report,
    TableChange,
    WebRun,
)
from pushdeploy.domain.sizes import about_bytes
from pushdeploy.flow.rehearse import Rehearsed
from pushdeploy.output import duration

Document = Mapping[str, object]

_MOST_TABLES = 20
"""Lines of a database; JSON has more."""

_LONGEST_NAME = 60


def tell_rehearsal(output: Output, rehearsed: Rehearsed) -> None:
    """A summary for people."""
    if rehearsed.report is None:
        output.headline(f"{rehearsed.app}: not rehearsed: {rehearsed.error}")
    else:
        _tell(output, rehearsed.report)


def rehearsal_json(rehearsed: Rehearsed) -> Document:
    """All that was found out, for programs."""
    if rehearsed.report is None:
        return {"app": str(rehearsed.app), "went_well": False, "error": rehearsed.error}
    return _document(rehearsed.report)


# ------------------------------------------------------------- for people


def _tell(output: Output, report: Report) -> None:
    verdict = "went well" if report.went_well else "did not go well"
    output.headline(f"The rehearsal of {report.release.label} of {report.app} {verdict}")
    output.detail(f"release command: {_told_command(report.command)}")
    output.detail(f"web: {_told_web(report.web)}")
    for disk in report.disks:
        output.detail(_told_disk(disk))
    for change in report.databases:
        for line in _told_database(change):
            output.detail(line)
    for trouble in report.troubles:
        output.detail(_shown(trouble))
    if report.hold is not None:
        output.detail(_told_hold(report.hold))
    output.detail(f"nothing of {report.app} was touched, and the copies are gone")


def _told_command(command: CommandRun | None) -> str:
    if command is None:
        return "none"
    if command.exit_code is None:
        return command.error
    return f"exit code {command.exit_code} in {duration(command.seconds)}"


def _told_web(web: WebRun) -> str:
    if web.outcome == "healthy":
        return f"healthy in {duration(web.boot_seconds or 0)}"
    if web.outcome == "failed":
        return web.error
    return "the slug has none" if web.outcome == "none" else "not started, for the command failed"


def _told_disk(disk: DiskGrowth) -> str:
    grown = disk.growth_bytes
    sign = "-" if grown < 0 else "+"
    told = f"{disk.disk}: {about_bytes(disk.after_bytes)}, {sign}{about_bytes(abs(grown))}"
    if not disk.copied:
        told += " (it began empty)"
    if not disk.fits:
        told += f": more than its size of {about_bytes(disk.limit_bytes or 0)}"
    return told


def _told_hold(hold: Hold) -> str:
    return (
        f"an exclusive cut-over would hold requests for about {duration(hold.seconds)}:"
        f" stop {duration(hold.stop_seconds)}, snapshot {duration(hold.snapshot_seconds)},"
        f" command {duration(hold.command_seconds)}, boot {duration(hold.boot_seconds)}"
    )


def _told_database(change: DatabaseChange) -> Iterator[str]:
    name = f"{change.disk}/{_shown(change.path)}"
    if change.trouble:
        yield f"{name}: not compared: {_shown(change.trouble)}"
        return
    yield f"{name}: {'as it was' if change.change == 'unchanged' else change.change}"
    telling = [table for table in change.tables if table.tells]
    for table in telling[:_MOST_TABLES]:
        yield f"  table {_shown(table.table)}: {_told_table(table)}"
    if len(telling) > _MOST_TABLES:
        yield f"  and {len(telling) - _MOST_TABLES} more tables"
    for told in _told_names(change.indexes):
        yield f"  index {told}"


def _told_table(table: TableChange) -> str:
    parts: list[str] = [] if table.change in {"unchanged", "changed"} else [table.change]
    if table.change == "changed":
        parts += [f"column {told}" for told in _told_names(table.columns)]
    return ", ".join([*parts, _told_rows(table)])


def _told_rows(table: TableChange) -> str:
    before, after = table.rows_before, table.rows_after
    if table.change == "added":
        return "rows not counted" if after is None else f"{after} rows"
    if table.change == "removed":
        return "rows not counted" if before is None else f"{before} rows gone"
    if before is None or after is None:
        return "rows not counted"
    return f"{after} rows" if before == after else f"{before} → {after} rows ({after - before:+})"


def _told_names(changes: NameChanges) -> Sequence[str]:
    return [
        f"{_shown(name)} {what}"
        for what, names in (
            ("added", changes.added),
            ("removed", changes.removed),
            ("changed", changes.changed),
        )
        for name in names[:_MOST_TABLES]
    ]


def _shown(text: str) -> str:
    """What an app has chosen, without what would steer a terminal."""
    return "".join(each if each.isprintable() else "?" for each in text[:_LONGEST_NAME])


# ------------------------------------------------------------- for programs


def _document(report: Report) -> Document:
    slug = report.release.slug
    return {
        "app": str(report.app),
        "went_well": report.went_well,
        "error": "",
        "release": report.release.label,
        "version": report.release.version,
        "slug_of": str(report.origin.app),
        "slug_release": report.origin.label,
        "commit": str(slug.commit),
        "slug": str(slug.image),
        "network": report.network,
        "snapshot_seconds": round(report.snapshot_seconds, 3),
        "command": _command_json(report.command),
        "web": _web_json(report.web),
        "disks": [_disk_json(disk) for disk in report.disks],
        "databases": [_database_json(change) for change in report.databases],
        "troubles": list(report.troubles),
        "expected_hold": _hold_json(report.hold),
    }


def _command_json(command: CommandRun | None) -> Document | None:
    if command is None:
        return None
    return {
        "command": command.command,
        "exit_code": command.exit_code,
        "seconds": round(command.seconds, 3),
        "output": list(command.output),
        "error": command.error,
    }


def _web_json(web: WebRun) -> Document:
    return {
        "outcome": web.outcome,
        "boot_seconds": _rounded(web.boot_seconds),
        "stop_seconds": _rounded(web.stop_seconds),
        "error": web.error,
        "log_tail": list(web.log_tail),
    }


def _disk_json(disk: DiskGrowth) -> Document:
    return {
        "disk": str(disk.disk),
        "copied": disk.copied,
        "before_bytes": disk.before_bytes,
        "after_bytes": disk.after_bytes,
        "growth_bytes": disk.growth_bytes,
        "size_bytes": disk.limit_bytes,
        "fits": disk.fits,
    }


def _database_json(change: DatabaseChange) -> Document:
    return {
        "disk": str(change.disk),
        "path": change.path,
        "change": change.change,
        "trouble": change.trouble,
        "tables": [_table_json(table) for table in change.tables],
        **_names_json("indexes", change.indexes),
    }


def _table_json(table: TableChange) -> Document:
    return {
        "table": table.table,
        "change": table.change,
        **_names_json("columns", table.columns),
        "rows_before": table.rows_before,
        "rows_after": table.rows_after,
    }


def _names_json(what: str, changes: NameChanges) -> dict[str, object]:
    return {
        f"{what}_added": list(changes.added),
        f"{what}_removed": list(changes.removed),
        f"{what}_changed": list(changes.changed),
    }


def _hold_json(hold: Hold | None) -> Document | None:
    if hold is None:
        return None
    return {
        "seconds": round(hold.seconds, 3),
        "stop_seconds": round(hold.stop_seconds, 3),
        "snapshot_seconds": round(hold.snapshot_seconds, 3),
        "command_seconds": round(hold.command_seconds, 3),
        "boot_seconds": round(hold.boot_seconds, 3),
    }


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
