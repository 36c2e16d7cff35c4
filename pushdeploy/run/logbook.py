"""Files keep the last log lines of former tasks, whose own logs have gone with them."""

import logging
import shutil
from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Literal

from pushdeploy.domain.container import LogLine
from pushdeploy.domain.names import AppName
from pushdeploy.domain.task import Slot

_log = logging.getLogger(__name__)

LINES_KEPT = 1000
FILES_KEPT = 20


class Logbook:
    """``<root>/<app>/<slot>.<version>.<container>.log``: a moment, a stream and a text a line."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def keep(
        self, app: AppName, slot: Slot, version: int, container: str, lines: Iterable[LogLine]
    ) -> None:
        """Write the lines, and drop the oldest files of the app. Does not raise: logs are not
        worth a failed deploy."""
        folder = self._root / app
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"{slot}.{version}.{container[:8]}.log"
            path.write_text("".join(map(_written, lines)), encoding="utf-8")
            for old in _newest_first(folder)[FILES_KEPT:]:
                old.unlink(missing_ok=True)
        except OSError as error:
            _log.warning("app=%s the logs of %s could not be kept: %s", app, slot, error)

    def forget(self, app: AppName) -> None:
        """Remove the app's files: whoever takes its name next is not to read them."""
        shutil.rmtree(self._root / app, ignore_errors=True)

    def rename(self, app: AppName, new: AppName) -> None:
        """Files under the new name were nobody's and go. Does not raise, like ``keep``."""
        self.forget(new)
        with suppress(OSError):
            (self._root / app).rename(self._root / new)

    def read(self, app: AppName, process: str | None, tail: int) -> list[tuple[str, LogLine]]:
        """The last ``tail`` lines of each kept file with its slot's name, in no order."""
        found: list[tuple[str, LogLine]] = []
        for path in _newest_first(self._root / app):
            slot = _slot_name(path)
            if matches(slot, process):
                with (
                    suppress(OSError),
                    path.open(encoding="utf-8", errors="replace", newline="\n") as file,
                ):
                    lines = map(_read, deque(file, maxlen=tail))
                    found += [(slot, line) for line in lines if line is not None]
        return found


def matches(slot: str, process: str | None) -> bool:
    """``process`` is a type, a slot, or None for all."""
    return process in {None, slot, slot.rpartition(".")[0]}


def _newest_first(folder: Path) -> Sequence[Path]:
    """By the time of keeping; a folder that does not exist has none."""
    return sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime_ns, reverse=True)


def _slot_name(path: Path) -> str:
    kind, index, *_ = path.name.split(".")
    return f"{kind}.{index}"


def _written(line: LogLine) -> str:
    return f"{line.at.isoformat()} {line.stream} {line.text.replace(chr(10), ' ')}\n"


def _read(written: str) -> LogLine | None:
    """None for what a loss of power has left of a line."""
    try:
        at, stream, text = written.rstrip("\n").split(" ", 2)
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    number: Literal[1, 2] = 2 if stream == "2" else 1
    return LogLine(moment, number, text) if moment.tzinfo else None
