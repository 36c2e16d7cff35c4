"""Text is kept encoded beside its files, as small as it gets, so that no answer waits for it.

    <tree>/files/app.js    what lies in the folder
    <tree>/br/app.js       the same in brotli; zstd/ and gzip/ likewise

nginx tells variants of one file apart by their sizes alone (its ETag is time and size), so no two
have the same.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from gzip import compress
from pathlib import Path

from pushdeploy.domain.static.files import TEXT_EXTENSIONS

LEAST_BYTES = 1024
"""A smaller file fits into one packet anyway."""

MOST_BYTES = 32 * 1024**2
"""A larger one would keep a push waiting, and is hardly text."""

_SLOW_BYTES = 1024**2
"""Beyond this the last percents cost minutes."""

_GAIN = 0.9
_TRIES = 3

Encode = Callable[[bytes, int], bytes]


def _brotli(data: bytes, weaker: int) -> bytes:
    import brotli  # late, as zstandard below: only a push of a site needs them

    best = 11 if len(data) <= _SLOW_BYTES else 9
    content: bytes = brotli.compress(data, quality=best - weaker)
    return content


def _zstd(data: bytes, weaker: int) -> bytes:
    import zstandard

    best = 19 if len(data) <= _SLOW_BYTES else 12
    content: bytes = zstandard.ZstdCompressor(level=best - weaker).compress(data)
    return content


def _gzip(data: bytes, weaker: int) -> bytes:
    return compress(data, 9 - weaker, mtime=0)


ENCODINGS: Mapping[str, Encode] = {"br": _brotli, "zstd": _zstd, "gzip": _gzip}
"""By the names of their directories, which are those of RFC 9110, 8.4.1; the best one first."""


@dataclass(frozen=True, slots=True)
class Variants:
    """``cache`` keeps what was encoded, by content: what has not changed is encoded once."""

    cache: Path

    def make(self, tree: Path, files: Mapping[str, str]) -> int:
        """Write the variants of ``files``, digests by path, into ``tree``; tell how many have some.

        A file becomes no variant that is not a tenth smaller.
        """
        wanted = [(path, digest) for path, digest in files.items() if _is_text(tree, path)]
        workers = os.cpu_count() or 1
        with ThreadPoolExecutor(workers, thread_name_prefix="variants") as threads:
            return sum(threads.map(lambda each: self._make(tree, *each), wanted))

    def sweep(self) -> None:
        """Forget what no tree has any more."""
        for path in _entries(self.cache):
            with suppress(OSError):
                if path.stat().st_nlink == 1:
                    path.unlink()

    def _make(self, tree: Path, path: str, digest: str) -> bool:
        source = tree / "files" / path
        cached = {name: self.cache / f"{digest}.{name}" for name in ENCODINGS}
        if not any(each.exists() for each in cached.values()):
            self._encode(source, cached)
        made = False
        for name, each in cached.items():
            place = tree / name / path
            place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                place.hardlink_to(each)
                made = True
        return made

    def _encode(self, source: Path, cached: Mapping[str, Path]) -> None:
        data, moment = source.read_bytes(), source.stat().st_mtime
        self.cache.mkdir(mode=0o711, parents=True, exist_ok=True)
        for name, content in encoded(data).items():
            beside = cached[name].with_name(f"{cached[name].name}.{os.getpid()}.{id(content)}")
            beside.write_bytes(content)
            beside.chmod(0o644)
            os.utime(beside, (moment, moment))
            beside.replace(cached[name])


def encoded(data: bytes) -> Mapping[str, bytes]:
    """The variants of some bytes that are worth having, no two of one size."""
    found: dict[str, bytes] = {}
    sizes = {len(data)}
    for name, encode in ENCODINGS.items():
        for weaker in range(_TRIES):
            content = encode(data, weaker)
            if len(content) > len(data) * _GAIN:
                break
            if len(content) not in sizes:
                found[name] = content
                sizes.add(len(content))
                break
    return found


def _is_text(tree: Path, path: str) -> bool:
    place = tree / "files" / path
    kind = path.rpartition("/")[2].rpartition(".")[2].lower()
    return kind in TEXT_EXTENSIONS and LEAST_BYTES <= place.stat().st_size <= MOST_BYTES


def _entries(directory: Path) -> Sequence[Path]:
    with suppress(FileNotFoundError, NotADirectoryError):
        return list(directory.iterdir())
    return []
