"""Runs the programs of the host that look after disks, and turns their failures into our errors."""

import errno
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pushdeploy.domain.errors import BackendDown

_SYSTEM = "/usr/sbin:/sbin"
"""Where they are for root, whose PATH may be a user's."""

ENVIRONMENT = {
    "PATH": f"/usr/local/sbin:/usr/local/bin:/usr/bin:/bin:{_SYSTEM}",
    "LC_ALL": "C.UTF-8",
}
"""All that they get to see of ours."""

_PACKAGES = {"btrfs": "btrfs-progs", "losetup": "mount", "mount": "mount", "umount": "mount"}
_E2FSPROGS = ("e2fsck", "mkfs.ext4", "resize2fs", "tune2fs")


def found(name: str) -> str | None:
    """Return the path of the program."""
    return shutil.which(name) or shutil.which(name, path=_SYSTEM)


def run(name: str, *arguments: str, also: int = 0) -> str:
    """Return the output of the program.

    ``OSError`` with what it said unless it ends with 0, or with ``also``.
    """
    ended = subprocess.run(
        [_path(name), *arguments],
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if ended.returncode not in {0, also}:
        said = " ".join(ended.stderr.decode(errors="replace").split())
        raise OSError(errno.EIO, said[:300] or f"{name} ended with {ended.returncode}")
    return ended.stdout.decode(errors="replace")


def used_bytes(path: Path) -> int:
    """Count by du, which no depth of directories breaks; files may vanish meanwhile."""
    counted = subprocess.run(
        ["du", "--summarize", "--block-size=1", "--one-file-system", "--", str(path)],
        env=ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return int(counted.stdout.split()[0]) if counted.stdout else 0


def remove(path: Path) -> None:
    """Remove by rm, for the same reason; mounts below are left alone, and said."""
    run("rm", "--recursive", "--force", "--one-file-system", "--", str(path))


@contextmanager
def our_errors(path: Path, noun: str = "disk") -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BackendDown(
            f"the {noun} {path} cannot be used: {error.strerror}", "look at it on the server"
        ) from error


def _path(name: str) -> str:
    path = found(name)
    if path is None:
        package = _PACKAGES.get(name, "e2fsprogs" if name in _E2FSPROGS else "coreutils")
        raise BackendDown(f"{name} is missing on the server", f"apt-get install {package}")
    return path
