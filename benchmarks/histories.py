"""Repositories to push, the same on every machine: made by git fast-import from a seed."""

import random
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import IO

from tests.stories.harness import GIT_CONFIG
from tests.stories.means import outer_environment, run_checked

_LINES = 20_000
_LINE_WORDS = 7
_MOST_EDITED_LINES = 40
_WHO = "Ada <ada@example.com>"
_FIRST_SECOND = 1_500_000_000
_LAST_SECOND = 1_600_000_000


@dataclass(frozen=True, slots=True)
class Shape:
    """How many commits and files a history has; each commit changes ``changes`` files on average.

    Files have 20 to ``2 * lines - 20`` lines of about 50 bytes.
    """

    commits: int
    files: int
    lines: int
    changes: float


TINY = Shape(commits=1, files=3, lines=20, changes=3)
SMALL = Shape(commits=3_500, files=250, lines=200, changes=1.6)
"""About 26,000 objects, as flask has."""
LARGE = Shape(commits=52_500, files=2_000, lines=200, changes=1.6)
"""About 430,000 objects in 160 MB, as sympy has."""
TREE = Shape(commits=1, files=6_900, lines=180, changes=6_900)
"""About 6,900 files and 62 MB, as django's tree has."""


@dataclass(frozen=True, slots=True)
class History:
    """A bare repository with the branch main."""

    path: Path

    @classmethod
    def create(cls, path: Path, shape: Shape) -> "History":
        run_checked(["git", "init", "-q", "--bare", "-b", "main", str(path)], cwd=path.parent)
        history = cls(path)
        for name, value in GIT_CONFIG.items():
            history.git("config", name, value)
        history._import(_stream(shape))
        return history

    def git(self, *arguments: str) -> str:
        return run_checked(["git", "-C", str(self.path), *arguments], cwd=self.path).stdout

    @property
    def objects(self) -> int:
        return len(self.git("rev-list", "--objects", "--all").splitlines())

    def add_commit(self, text: str) -> None:
        """One more on main, that changes one file."""
        self._import(
            [
                *_commit_head(_LAST_SECOND, text),
                b"from refs/heads/main^0\n",
                *(b"M 100644 inline changed.txt\n", _data(text.encode())),
            ]
        )

    def _import(self, pieces: Iterator[bytes] | list[bytes]) -> None:
        with subprocess.Popen(
            ["git", "-C", str(self.path), "fast-import", "--quiet"],
            stdin=subprocess.PIPE,
            env=outer_environment(),
        ) as program:
            assert program.stdin is not None
            _write(program.stdin, pieces)
            program.stdin.close()
        assert program.returncode == 0, "git fast-import failed"


def _write(stdin: IO[bytes], pieces: Iterator[bytes] | list[bytes]) -> None:
    for piece in pieces:
        stdin.write(piece)


def _stream(shape: Shape) -> Iterator[bytes]:
    """All versions of one file after the other, so that they become deltas; then the commits."""
    chance = random.Random(20_260_131)
    paths = [_path(number) for number in range(shape.files)]
    changed = _changes(shape, chance)
    marks = count(1)
    versions: list[list[tuple[int, int]]] = [[] for _ in range(shape.commits)]
    commits_of: list[list[int]] = [[] for _ in paths]
    for commit, files in enumerate(changed):
        for file in files:
            commits_of[file].append(commit)
    lines = [_line(chance) for _ in range(_LINES)]
    for file, commits in enumerate(commits_of):
        text = chance.choices(lines, k=chance.randint(20, 2 * shape.lines - 20))
        for commit in commits:
            _edit(text, lines, chance)
            mark = next(marks)
            versions[commit].append((file, mark))
            yield b"blob\nmark :%d\n" % mark
            yield _data("".join(text).encode())
    for commit, changes in enumerate(versions):
        yield from _commit_head(_FIRST_SECOND + 60 * commit, f"Change number {commit}")
        for file, mark in changes:
            yield f"M 100644 :{mark} {paths[file]}\n".encode()


def _changes(shape: Shape, chance: random.Random) -> Iterator[set[int]]:
    """The files of each commit; all of them come in the course of the first commits."""
    yield set(range(shape.files))
    for _ in range(shape.commits - 1):
        number = min(shape.files, 1 + int(chance.expovariate(1 / shape.changes)))
        yield {chance.randrange(shape.files) for _ in range(number)}


def _path(number: int) -> str:
    """About a dozen names in a directory, three levels deep."""
    return f"part{number // 240}/area{number // 12 % 20}/module{number}.py"


def _line(chance: random.Random) -> str:
    words = [f"{chance.getrandbits(chance.choice((16, 24, 32))):x}" for _ in range(_LINE_WORDS)]
    return f"    {' '.join(words)}\n"


def _edit(text: list[str], lines: list[str], chance: random.Random) -> None:
    """Some lines in a row replaced, now and then one more added."""
    start = chance.randrange(len(text))
    for place in range(start, min(len(text), start + chance.randint(1, _MOST_EDITED_LINES))):
        text[place] = chance.choice(lines)
    if chance.random() < 0.3:
        text.insert(start, chance.choice(lines))


def _commit_head(seconds: int, message: str) -> tuple[bytes, bytes, bytes]:
    who = f"committer {_WHO} {seconds} +0000\n".encode()
    return b"commit refs/heads/main\n", who, _data(message.encode())


def _data(text: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(text), text)
