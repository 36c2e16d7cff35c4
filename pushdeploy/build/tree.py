"""What detection sees of a source: the names of its files and the text of a few of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from pushdeploy.domain.errors import BuildFailed
from pushdeploy.domain.source import SourceReader

_MOST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Tree:
    """``paths`` are all files, in git's order; ``reader`` gives their bytes."""

    paths: frozenset[str]
    reader: SourceReader

    @classmethod
    def of(cls, reader: SourceReader) -> "Tree":
        return cls(frozenset(entry.path for entry in reader.entries()), reader)

    @property
    def root(self) -> Sequence[str]:
        """Names in the top directory, those of directories with a slash at the end."""
        names = {
            head + ("/" if slash else "")
            for head, slash, _rest in (path.partition("/") for path in self.paths)
        }
        return sorted(names)

    def has(self, path: str) -> bool:
        return path in self.paths

    def first(self, paths: Iterable[str]) -> str | None:
        """The first of ``paths`` that is there."""
        return next((path for path in paths if path in self.paths), None)

    def read(self, path: str) -> bytes:
        """The bytes of a file; ``BuildFailed`` when it is missing or absurdly large."""
        data = self.reader.read(path)
        if data is None:
            raise BuildFailed(f"{path} is not in the commit", f"git add {path}, commit and push")
        if len(data) > _MOST_BYTES:
            raise BuildFailed(f"{path} is larger than {_MOST_BYTES // 1024**2} MB")
        return data

    def text(self, path: str) -> str:
        """A file as text, without a byte order mark; ``BuildFailed`` when it is not UTF-8."""
        try:
            return self.read(path).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise BuildFailed(
                f"{path} is not UTF-8 text: byte {error.start} is wrong", "save it as UTF-8"
            ) from error

    def named(self, name: str, depth: int) -> Sequence[str]:
        """Paths of files called ``name``, ``depth`` directories down at most, shallow first."""
        found = [path for path in self.paths if PurePosixPath(path).name == name]
        return sorted(
            (path for path in found if path.count("/") <= depth),
            key=lambda path: (path.count("/"), path),
        )
