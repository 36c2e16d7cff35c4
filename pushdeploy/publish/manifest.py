"""A manifest lists the files of a published folder; its digest names all of them."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from pushdeploy.domain.errors import BackendDown

_FORMAT = "pushdeploy published files 1"
_INDEX, _PAGE = "index.html", ".html"
_PLAIN = "/~!$&'()*+,;=:@"
"""Stand as they are in a path beside letters, digits and -._ (RFC 3986, 3.3)."""

_FIRST_MOMENT = 946_684_800
"""The year 2000: before any cache has seen a file of ours."""

_MOMENTS = 2**29
"""Seventeen years of seconds."""


@dataclass(frozen=True, slots=True)
class FileEntry:
    """``digest`` is the SHA-256 of the file's bytes."""

    digest: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class LinkEntry:
    """``target`` is relative, and leads to a file or a directory of the same folder."""

    target: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """Paths are relative to the folder, with bytes that are no UTF-8 as lone surrogates."""

    files: Mapping[str, FileEntry]
    links: Mapping[str, LinkEntry] = field(default_factory=dict)

    @property
    def size_bytes(self) -> int:
        return sum(entry.size_bytes for entry in self.files.values())

    @property
    def digest(self) -> str:
        """64 hex digits, the same for equal files under equal names."""
        return hashlib.sha256(self.text().encode()).hexdigest()

    def text(self) -> str:
        """One line of JSON for each file and link, in the order of their paths."""
        lines: dict[str, Sequence[object]] = {
            **{path: [path, entry.digest, entry.size_bytes] for path, entry in self.files.items()},
            **{path: [path, entry.target] for path, entry in self.links.items()},
        }
        return "\n".join([_FORMAT, *(json.dumps(lines[path]) for path in sorted(lines)), ""])

    @classmethod
    def parse(cls, text: str) -> "Manifest":
        """Raise ``BackendDown`` for what was not written by ``text``."""
        first, *lines = text.split("\n")
        if first != _FORMAT or lines[-1:] != [""]:
            raise BackendDown("a list of published files is damaged", "pushdeploy doctor")
        try:
            rows = [json.loads(line) for line in lines[:-1]]
            files = {row[0]: FileEntry(row[1], row[2]) for row in rows if len(row) == 3}
            links = {row[0]: LinkEntry(row[1]) for row in rows if len(row) == 2}
        except (ValueError, TypeError, IndexError, KeyError) as error:
            raise BackendDown(
                "a list of published files is damaged", "pushdeploy doctor"
            ) from error
        return cls(files, links)


def mtime_of(digest: str) -> int:
    """The time of a file, which its content alone decides: two files never share it by chance.

    So ETag and Last-Modified are equal on every stage and after every build of the same bytes, and
    differ where the bytes do.
    """
    return _FIRST_MOMENT + int(digest[:16], 16) % _MOMENTS


def changed(old: Manifest | None, new: Manifest | None) -> Sequence[str]:
    """The paths that one of the two has not as the other: made, changed or gone, in order."""
    before = {**old.files, **old.links} if old else {}
    after = {**new.files, **new.links} if new else {}
    return sorted(
        path for path in before.keys() | after.keys() if before.get(path) != after.get(path)
    )


def asked_by(at: str, path: str) -> Iterator[str]:
    """The paths by which visitors ask for a file that is served below ``at``, percent-encoded.

    A page goes by its directory and without its ending as well.
    """
    whole = quote(f"{at}{path}", safe=_PLAIN, errors="surrogateescape")
    yield whole
    if whole.endswith(f"/{_INDEX}"):
        yield whole.removesuffix(_INDEX)
    elif whole.endswith(_PAGE):
        yield whole.removesuffix(_PAGE)
