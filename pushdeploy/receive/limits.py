"""What one push may cost this machine."""

from dataclasses import dataclass

GIBIBYTE = 1024**3


@dataclass(frozen=True, slots=True)
class PackLimits:
    """Limits of a pack, of the git child that reads it, and of the tree that is to be built.

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
        """The largest file a child may write: a pack grows while it is completed and indexed."""
        return 2 * self.pack_bytes + 64 * 1024**2
