"""A root for disks with limits, who writes to them, and who keeps them in use."""

import errno
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pushdeploy.disks import mounts
from pushdeploy.disks.directories import Directories
from pushdeploy.domain.app import App
from pushdeploy.domain.names import AppName, DiskName
from pushdeploy.domain.settings import AppSettings

MIB = 1024**2
SHOP = App(7, AppName("shop"), datetime(2026, 1, 31, tzinfo=UTC), AppSettings(), {})
BLOG = AppName("blog")
DATA = DiskName("data")
UPLOADS = DiskName("uploads")


@dataclass(frozen=True)
class Machine:
    """A root on a file system where new limited disks are of ``kind``."""

    kind: str
    root: Path

    @property
    def disks(self) -> Directories:
        """As a server that has just started has them."""
        return Directories(self.root)

    @property
    def path(self) -> Path:
        return self.disks.path(SHOP.name, DATA)

    @property
    def image(self) -> Path:
        return self.path.with_name(".data.ext4")

    def make(self, size_bytes: int | None = None, **files: str) -> Directories:
        """The disk ``data`` with files of the app's."""
        disks = self.disks
        disks.ensure(SHOP, DATA)
        for name, text in files.items():
            (self.path / name).write_text(text)
            os.chown(self.path / name, SHOP.uid, SHOP.uid)
        if size_bytes:
            disks.quota.set_limit(SHOP.name, DATA, size_bytes)
        return disks

    def boot(self) -> None:
        """What a power cut does to mounts."""
        for point in mounts.below(self.root / "shop"):
            subprocess.run(["umount", point], check=True)


def write_as_app(path: Path, size_bytes: int) -> int:
    """Write a file as the app does, until it is whole or refused: the bytes that are safe."""
    script = (
        "import os, sys\n"
        "path, wanted, uid = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])\n"
        "place = os.open(os.path.dirname(path), os.O_RDONLY)\n"
        "os.setgroups([]); os.setgid(uid); os.setuid(uid)\n"
        "file = os.open(os.path.basename(path), os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=place)\n"
        "done = 0\n"
        "try:\n"
        "    while done < wanted:\n"
        "        done += os.write(file, os.urandom(min(wanted - done, 1 << 16)))\n"
        "        os.fsync(file)\n"
        "except OSError as error:\n"
        "    print(done, error.errno)\n"
        "else:\n"
        "    print(done, 0)\n"
    )
    words = [sys.executable, "-c", script, str(path), str(size_bytes), str(SHOP.uid)]
    ended = subprocess.run(words, capture_output=True, text=True, check=True)
    done, number = map(int, ended.stdout.split())
    assert number in {0, errno.ENOSPC, errno.EDQUOT}
    assert (number == 0) == (done == size_bytes)
    return done


class namespace_that_has:  # noqa: N801 - reads as a sentence
    """A process with mounts of its own, among them a bind mount of ``path``, as a container has."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        place = self._path.parent.parent / "elsewhere"
        place.mkdir(exist_ok=True)
        script = 'mount --bind "$1" "$2" && umount --lazy "$1" 2>/dev/null; echo ready; exec cat'
        self._process = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", script, "sh", str(self._path), str(place)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def __exit__(self, *_: object) -> None:
        self._process.communicate()
