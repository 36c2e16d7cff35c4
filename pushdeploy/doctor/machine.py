"""What several checks ask this machine: what a program says, and what room a file system has."""

import shutil
import subprocess
from pathlib import Path

from pushdeploy.domain.finding import Finding
from pushdeploy.no_room import no_room_at

MINIMUM_FREE_BYTES = 2 * 1024**3


def said(*command: str) -> str | None:
    """The first line that a program prints, None where it is missing, fails or hangs."""
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return (run.stdout or run.stderr).strip().partition("\n")[0]


def check_free(check: str, path: Path, mend: str) -> Finding:
    """Check the free space of the file system that holds ``path``, or its nearest parent."""
    while not path.exists():
        path = path.parent
    trouble = no_room_at(path)
    if trouble is not None:
        return Finding(check, False, trouble.message, trouble.hint)
    free = shutil.disk_usage(path).free
    return Finding(check, free >= MINIMUM_FREE_BYTES, f"{free / 1024**3:.1f} GB free", mend)
