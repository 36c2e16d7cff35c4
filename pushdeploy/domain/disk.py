"""Disks are named directories that outlive containers, with a mount path and a way to change
hands.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath
from typing import Self

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import DiskName

_FORBIDDEN = ("/", "/app", "/opt", "/root", "/tmp", "/var")  # noqa: S108 - names of paths
"""The app itself, its dependencies, and /tmp: what a task notes there must not outlive it."""

_FORBIDDEN_TREES = (
    "/bin",
    "/boot",
    "/dev",
    "/etc",
    "/lib",
    "/lib64",
    "/opt/python",
    "/opt/venv",
    "/proc",
    "/run",
    "/sbin",
    "/sys",
    "/usr",
)


_LONGEST_BYTES = 255
"""Of a mount path; one name in it cannot have more on any file system."""


class CutOver(StrEnum):
    """A cut-over is the moment when traffic moves to a new release.

    ``overlap``: old and new tasks run side by side. ``exclusive``: requests wait, the old tasks
    stop before the release command and the new tasks begin, and a failure puts the disks back.
    """

    OVERLAP = "overlap"
    EXCLUSIVE = "exclusive"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A disk of an app at an absolute mount path."""

    disk: DiskName
    mount_path: str

    @classmethod
    def parse(cls, disk: str, mount_path: str) -> Self:
        return cls(DiskName.parse(disk), _mount_path(mount_path))


def cut_over_of(disks: Sequence[Attachment], wanted: CutOver | None) -> CutOver:
    """Choose how a release with ``disks`` goes live; ``wanted`` is the person's own choice, if
    any.
    """
    if not disks:
        return CutOver.OVERLAP
    return wanted or CutOver.EXCLUSIVE


def cut_over_reason(disks: Sequence[Attachment], wanted: CutOver | None) -> str:
    """Explain to people why a release goes live in that way."""
    if not disks:
        return "no disk"
    if wanted is None:
        return "it has a disk, and one version at a time writes there"
    return f"as disks:set says, cutover={wanted}"


def _mount_path(text: str) -> str:
    path = PurePosixPath(text)
    if not path.is_absolute() or ".." in path.parts or not text.isprintable() or ":" in text:
        raise UserError(f"{text!r} is not a mount path", "give an absolute path such as /data")
    if len(text.encode()) > _LONGEST_BYTES:
        raise UserError(
            f"a mount path has {_LONGEST_BYTES} bytes at the most", "give one such as /data"
        )
    normal = "/" + str(path).strip("/")
    inside = any(normal == tree or normal.startswith(tree + "/") for tree in _FORBIDDEN_TREES)
    if normal in _FORBIDDEN or inside:
        raise UserError(
            f"a disk cannot be mounted at {normal}: the app's own files live there",
            "use a path such as /data or /app/uploads",
        )
    return normal


@dataclass(frozen=True, slots=True)
class Usage:
    """A usage says how much is on a disk and may still come.

    ``limit_bytes`` None: only its file system of ``total_bytes``, which others share, stops it.
    ``kind`` is the back-end that holds the limit, empty without one.
    """

    used_bytes: int
    limit_bytes: int | None
    free_bytes: int
    total_bytes: int
    kind: str = ""


CROWDED, NEARLY_FULL = 80, 95
"""In per cent."""


def crowding(usage: Usage, wanted_bytes: int | None = None) -> str:
    """Warn of a full disk, in words to follow its name; empty while there is room.

    ``wanted_bytes`` is the size that it should keep to where nothing makes it.
    """
    if usage.limit_bytes is not None:
        state = _state(usage.used_bytes, usage.used_bytes + usage.free_bytes)
        return f"is {state}" if state else ""
    if wanted_bytes and (state := _state(usage.used_bytes, wanted_bytes)):
        return f"is {state} of its size, which nothing enforces here"
    state = _state(usage.total_bytes - usage.free_bytes, usage.total_bytes)
    return f"lies on a file system that is {state}" if state else ""


def _state(used_bytes: int, of_bytes: int) -> str:
    percent = used_bytes * 100 // of_bytes if of_bytes else 0
    if percent < CROWDED:
        return ""
    return f"{'nearly full' if percent >= NEARLY_FULL else 'filling up'}: {percent} %"
