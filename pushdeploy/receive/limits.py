"""Limits bound the resources of this machine that one push may use."""

from dataclasses import dataclass

GIBIBYTE = 1024**3


@dataclass(frozen=True, slots=True)
class PackLimits:
    """``PackLimits`` bound a pack, the git child that reads it, and the tree that is to be built.

    ``memory_bytes`` is the address space of a git child. ``commands`` are the refs of one push.
    """

    pack_bytes: int = 2 * GIBIBYTE
    memory_bytes: int = GIBIBYTE
    tree_files: int = 100_000
    tree_bytes: int = 2 * GIBIBYTE
    blob_bytes: int = GIBIBYTE
    commands: int = 1000
    cpu_seconds: int = 900
    timeout_seconds: float = 3600

    @property
    def file_bytes(self) -> int:
        """Return the size of the largest file of a child: a pack grows while it is indexed."""
        return 2 * self.pack_bytes + 64 * 1024**2
