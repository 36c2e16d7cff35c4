"""Reads the mounts of the server and of containers from the kernel.

The form is that of proc_pid_mountinfo(5). A mount follows the directories that it lies in when they
are renamed, so nothing here is remembered.
"""

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_ESCAPE = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mounted:
    """The directory ``root`` of the file system on ``device`` (``7:0``) is seen at ``point``."""

    device: str
    root: str
    point: str
    kind: str
    source: str


def parse(text: str) -> Sequence[Mounted]:
    """List mounts in the order of mounting: of two at one point, the later one is seen."""
    return [_mounted(line) for line in text.splitlines()]


def mounted_at(path: Path) -> Mounted | None:
    """Return the file system that is mounted at exactly this path."""
    point = os.path.realpath(path)
    return next((each for each in reversed(_own()) if each.point == point), None)


def below(path: Path) -> Sequence[str]:
    """List the mount points at ``path`` and below it, the deepest first."""
    top = os.path.realpath(path)
    points = [each.point for each in _own() if _is_within(each.point, top)]
    return sorted(points, key=len, reverse=True)


def containing(path: Path) -> Mounted:
    """Return the mount that ``path`` lies in."""
    real = os.path.realpath(path)
    around = [each for each in reversed(_own()) if _is_within(real, each.point)]
    return max(around, key=lambda each: len(each.point))


def is_held_elsewhere(path: Path) -> bool:
    """Tell whether another mount namespace, like a container's, has that very directory mounted.

    Services that were given a copy of all that is mounted here do not count.
    """
    around = containing(path)
    inside = os.path.relpath(os.path.realpath(path), around.point)
    spot = (around.device, str(Path(around.root) / inside))
    root = _root_of(_own())
    return any(
        (each.device, each.root) == spot and (each.point != around.point or _root_of(other) != root)
        for other in _of_others()
        for each in other
    )


def shares_them_with_the_machine() -> bool:
    """Tell whether other programs of the machine, Docker among them, see our mounts."""
    try:
        return Path("/proc/self/ns/mnt").readlink() == Path("/proc/1/ns/mnt").readlink()
    except OSError:
        return True


def _root_of(mounts: Sequence[Mounted]) -> tuple[str, str] | None:
    found = [(each.device, each.root) for each in mounts if each.point == "/"]
    return found[-1] if found else None


def _own() -> Sequence[Mounted]:
    return parse(Path("/proc/self/mountinfo").read_text())


def _of_others() -> Iterator[Sequence[Mounted]]:
    """Once for each mount namespace but ours; processes that end meanwhile hold nothing."""
    seen = {Path("/proc/self/ns/mnt").readlink()}
    for process in Path("/proc").iterdir():
        if not process.name.isdecimal():
            continue
        try:
            namespace = (process / "ns/mnt").readlink()
            if namespace not in seen:
                mounts = parse((process / "mountinfo").read_text())
                seen.add(namespace)
                yield mounts
        except OSError:
            continue


def _mounted(line: str) -> Mounted:
    before, _, after = line.partition(" - ")
    _, _, device, root, point, *_ = before.split(" ")
    kind, source, *_ = after.split(" ")
    return Mounted(device, _plain(root), _plain(point), kind, _plain(source))


def _plain(text: str) -> str:
    return _ESCAPE.sub(lambda match: chr(int(match.group(1), 8)), text)


def _is_within(path: str, top: str) -> bool:
    return path == top or path.startswith(top.rstrip("/") + "/")
