"""A rehearsal: what a release has done to copies of an app's disks, and how long it would take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from pushdeploy.domain.names import AppName, DiskName
from pushdeploy.domain.release import Release

Change = Literal["added", "removed", "changed", "unchanged"]


# ------------------------------------------------------------- databases, and how they differ


@dataclass(frozen=True, slots=True)
class Table:
    """``columns`` are declarations by name; ``rows`` None: nobody has counted them."""

    columns: Mapping[str, str]
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class DatabaseContents:
    """An SQLite database as it was found. ``indexes`` are definitions by name.

    ``trouble`` says why it could not be read, empty when it could.
    """

    tables: Mapping[str, Table] = field(default_factory=dict)
    indexes: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Contents:
    """The databases of a disk by their paths on it, and what kept some from being looked at."""

    databases: Mapping[str, DatabaseContents]
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class NameChanges:
    """Named things came, went, or are something else now."""

    added: Sequence[str] = ()
    removed: Sequence[str] = ()
    changed: Sequence[str] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


@dataclass(frozen=True, slots=True)
class TableChange:
    """``change`` is of the columns. Rows are None where there was no table, or no count."""

    table: str
    change: Change
    columns: NameChanges
    rows_before: int | None
    rows_after: int | None

    @property
    def differs(self) -> bool:
        """Tell whether the columns or the number of rows differ, as far as both have been
        counted.
        """
        counts = {self.rows_before, self.rows_after}
        return self.change != "unchanged" or (None not in counts and len(counts) == 2)

    @property
    def tells(self) -> bool:
        """Tell whether there is anything to say about it: one that was counted once only, too."""
        return self.differs or (self.rows_before is None) != (self.rows_after is None)


@dataclass(frozen=True, slots=True)
class DatabaseChange:
    """Every table of either side, by name. Nothing is compared where there is ``trouble``."""

    disk: DiskName
    path: str
    change: Change
    tables: Sequence[TableChange] = ()
    indexes: NameChanges = NameChanges()
    trouble: str = ""


def database_changes(disk: DiskName, before: Contents, after: Contents) -> Sequence[DatabaseChange]:
    """Return a change for each database that was on the disk or is there now, by path."""
    old, new = before.databases, after.databases
    return [
        _database_change(disk, path, old.get(path), new.get(path)) for path in sorted({*old, *new})
    ]


def _database_change(
    disk: DiskName, path: str, before: DatabaseContents | None, after: DatabaseContents | None
) -> DatabaseChange:
    trouble = next((each.trouble for each in (after, before) if each and each.trouble), "")
    if trouble:
        return DatabaseChange(disk, path, _presence(before, after), trouble=trouble)
    old, new = before or DatabaseContents(), after or DatabaseContents()
    tables = [
        _table_change(name, old.tables.get(name), new.tables.get(name))
        for name in sorted({*old.tables, *new.tables})
    ]
    indexes = name_changes(old.indexes, new.indexes)
    change = _presence(before, after)
    if change == "unchanged" and (indexes or any(table.differs for table in tables)):
        change = "changed"
    return DatabaseChange(disk, path, change, tables, indexes)


def _table_change(name: str, before: Table | None, after: Table | None) -> TableChange:
    columns = name_changes(before.columns if before else {}, after.columns if after else {})
    change = _presence(before, after)
    if change == "unchanged" and columns:
        change = "changed"
    rows_before, rows_after = (each.rows if each else None for each in (before, after))
    return TableChange(name, change, columns, rows_before, rows_after)


def name_changes(before: Mapping[str, str], after: Mapping[str, str]) -> NameChanges:
    return NameChanges(
        added=tuple(name for name in after if name not in before),
        removed=tuple(name for name in before if name not in after),
        changed=tuple(name for name in after if name in before and before[name] != after[name]),
    )


def _presence(before: object | None, after: object | None) -> Change:
    if before is None:
        return "added"
    return "removed" if after is None else "unchanged"


# ------------------------------------------------------------- the report


@dataclass(frozen=True, slots=True)
class CommandRun:
    """The release command. ``exit_code`` None: it could not be started, ``error`` says why."""

    command: str
    exit_code: int | None
    seconds: float
    output: Sequence[str] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class WebRun:
    """``skipped``: the release command had failed; ``none``: the slug has no web process."""

    outcome: Literal["healthy", "failed", "skipped", "none"]
    boot_seconds: float | None = None
    stop_seconds: float | None = None
    error: str = ""
    log_tail: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class DiskGrowth:
    """A disk grew by so many bytes of blocks.

    One that is not ``copied`` was empty in the rehearsal.

    ``limit_bytes`` is the size of the disk itself, which its copy has not; None: it has none.
    """

    disk: DiskName
    copied: bool
    before_bytes: int
    after_bytes: int
    limit_bytes: int | None = None

    @property
    def growth_bytes(self) -> int:
        return self.after_bytes - self.before_bytes

    @property
    def fits(self) -> bool:
        return self.limit_bytes is None or self.after_bytes <= self.limit_bytes


@dataclass(frozen=True, slots=True)
class Hold:
    """An exclusive cut-over would keep requests waiting for the sum of these seconds."""

    stop_seconds: float
    snapshot_seconds: float
    command_seconds: float
    boot_seconds: float

    @property
    def seconds(self) -> float:
        return self.stop_seconds + self.snapshot_seconds + self.command_seconds + self.boot_seconds


@dataclass(frozen=True, slots=True)
class Report:
    """``origin`` is the release whose slug was rehearsed, ``release`` the one it would become.

    ``command`` None: the slug has none. ``troubles`` are what could not be found out.
    """

    origin: Release
    release: Release
    network: bool
    snapshot_seconds: float
    command: CommandRun | None
    web: WebRun
    disks: Sequence[DiskGrowth]
    databases: Sequence[DatabaseChange]
    troubles: Sequence[str] = ()

    @property
    def app(self) -> AppName:
        return self.release.app

    @property
    def went_well(self) -> bool:
        command_fine = self.command is None or self.command.exit_code == 0
        web_fine = self.web.outcome in {"healthy", "none"}
        return command_fine and web_fine and all(disk.fits for disk in self.disks)

    @property
    def hold(self) -> Hold | None:
        """Return None when the release would not have gone live, and for an app without a disk:
        its old and new processes run side by side.
        """
        if not self.went_well or not self.disks:
            return None
        return Hold(
            self.web.stop_seconds or 0.0,
            self.snapshot_seconds,
            self.command.seconds if self.command else 0.0,
            self.web.boot_seconds or 0.0,
        )
