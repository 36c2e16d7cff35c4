"""Two repositories of one codebase are read as if they were one, and nothing is copied."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pushdeploy.domain.history import Commit, Divergence
from pushdeploy.domain.names import CommitId
from pushdeploy.receive.git import Git
from pushdeploy.receive.messages import one_line

MOST_COMMITS = 1000
"""More between two stages are counted no further."""

_LAST_SECOND = 253402300799  # of the year 9999, where Python's calendar ends
_FIELDS = "%m%x00%H%x00%at%x00%an%x00%s"


@contextmanager
def joined(repository: Path, other: Path, cut: set[CommitId] | None) -> Iterator[Git]:
    """Give git the objects of two bare repositories.

    ``cut`` are the commits without parents in both, None where neither repository is shallow.
    """
    git = Git(repository, quarantine=other / "objects")
    if cut is None:
        yield git
        return
    with tempfile.NamedTemporaryFile("w", prefix="pushdeploy-shallow-") as file:
        file.writelines(f"{commit}\n" for commit in sorted(cut))
        file.flush()
        yield Git(repository, quarantine=other / "objects", shallow=Path(file.name))


def divergence(git: Git, commit: CommitId, base: CommitId | None) -> Divergence:
    """Ask one ``git log`` for both directions, or raise ``GitFailed`` where a commit is missing."""
    asked = f"{base}...{commit}" if base else str(commit)
    listed = git.read(
        "log",
        "--left-right",
        f"--max-count={MOST_COMMITS + 1}",
        "--encoding=UTF-8",
        f"--format={_FIELDS}",
        asked,
        "--",
    )
    rows = [line.split("\0") for line in listed.decode("utf-8", "replace").split("\n") if line]
    sides = [(row[0], _commit(row)) for row in rows[:MOST_COMMITS]]
    return Divergence(
        ahead=[found for mark, found in sides if mark != "<"],
        behind=[found for mark, found in sides if mark == "<"],
        complete=len(rows) <= MOST_COMMITS,
    )


def _commit(row: list[str]) -> Commit:
    """Names and subjects are foreign text that goes to a terminal."""
    _, commit, seconds, author, subject = row
    written = min(int(seconds or 0), _LAST_SECOND)
    return Commit(
        CommitId.parse(commit),
        datetime.fromtimestamp(written, UTC),
        one_line(author),
        one_line(subject),
    )
