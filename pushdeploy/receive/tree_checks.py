"""Checks the paths and sizes of a tree before it is built; git checks the objects themselves."""

import re
from collections.abc import Iterator, Sequence

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.source import TreeEntry
from pushdeploy.receive.limits import PackLimits
from pushdeploy.receive.messages import one_line

PATH_BYTES = 4095
NAME_BYTES = 255
DEPTH = 100
SUBMODULE_LINES = 10

_SUBMODULE = 0o160000
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def check_tree(entries: Sequence[TreeEntry], limits: PackLimits) -> list[str]:
    """Return warnings for the pusher.

    ``UserError`` where the tree is too large or has unsafe names.
    """
    if len(entries) > limits.tree_files:
        raise too_many_files(limits.tree_files)
    total_bytes = 0
    for entry in entries:
        size_bytes = entry.size_bytes or 0
        total_bytes += size_bytes
        if size_bytes > limits.blob_bytes:
            raise _refused(entry.path, f"is larger than {limits.blob_bytes:,} bytes")
        if total_bytes > limits.tree_bytes:
            raise UserError(
                f"the tree is larger than {limits.tree_bytes:,} bytes",
                "take large files out, or let the operator raise PUSHDEPLOY_MAX_TREE_BYTES",
            )
        _check_path(entry.path)
    return list(_warnings(entries))


def too_many_files(most: int) -> UserError:
    return UserError(
        f"the tree has more than {most:,} files or directories",
        "take generated files out, or let the operator raise PUSHDEPLOY_MAX_TREE_FILES",
    )


def _check_path(path: str) -> None:
    names = path.split("/")
    if len(path) > PATH_BYTES or any(
        len(name.encode("utf-8", "surrogateescape")) > NAME_BYTES for name in names
    ):
        raise _refused(path, "is a longer name than a Linux file can have")
    if len(names) > DEPTH:
        raise _refused(path, f"is more than {DEPTH} directories deep")
    if _CONTROL.search(path):
        raise _refused(path, "has control characters in its name")
    if "\\" in path and any(
        name.strip(" .") == "" or name.lower() == ".git" for name in re.split(r"[/\\]", path)
    ):
        # Legal on Linux, a way out of the tree wherever a backslash separates directories.
        raise _refused(path, "has a name that climbs out of its directory on some systems")


def _refused(path: str, why: str) -> UserError:
    shown = path.encode("unicode_escape", "surrogateescape").decode("ascii", "replace")
    return UserError(f"{one_line(shown)[:120]} {why}", "rename or remove it, commit, push again")


def _warnings(entries: Sequence[TreeEntry]) -> Iterator[str]:
    submodules = [entry.path for entry in entries if entry.mode == _SUBMODULE]
    for path in submodules[:SUBMODULE_LINES]:
        yield f"submodule {one_line(path)} stays empty: submodules are not fetched"
    if len(submodules) > SUBMODULE_LINES:
        yield f"and {len(submodules) - SUBMODULE_LINES} more submodules"
