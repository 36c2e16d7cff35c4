"""Layers are made of archives: of the source and of directories, with an owner and modes."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from posixpath import dirname

from pushdeploy.build.containers import APP_IDS
from pushdeploy.build.tarpatch import END, Notice, TarPatch, members, unnoticed
from pushdeploy.domain.chunks import ChunkReader
from pushdeploy.domain.ports.engine import Engine
from pushdeploy.domain.source import Source

SOURCE_PATCH = TarPatch(*APP_IDS, 0o2775, 0o664, 0o775, prefix="app/")
"""Files of an app: its uid is not known yet, so its group may write."""

FINISHED_PATCH = replace(SOURCE_PATCH, prefix="")
DEPENDENCY_PATCH = TarPatch(0, 0, 0o755, 0o644, 0o755)


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory of a container goes to the same absolute path of an image."""

    container: str
    path: str
    patch: TarPatch


def content(
    engine: Engine, source: Source | None, made: Sequence[Directory], seen: Notice = unnoticed
) -> Iterator[bytes]:
    """Yield an archive of the source and of directories; ``seen`` gets each name of the latter."""
    if source is not None:
        with source.reader.archive() as tar:
            yield from members(tar, SOURCE_PATCH)
    for each in made:
        parent = dirname(each.path).strip("/")
        patch = replace(each.patch, prefix=f"{parent}/" if parent else "")
        with engine.get_archive(each.container, each.path) as chunks:
            yield from members(ChunkReader(chunks), patch, seen)
    yield END
