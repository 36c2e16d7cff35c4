"""Where snapshots are tried: file systems in images, and files that are at rest."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from pushdeploy.disks.index import Index


def settle(tree: Path) -> None:
    """As if everything in the snapshot had been at rest when it was copied."""
    index = Index.read(tree)
    files = {path: identity._replace(at_rest=True) for path, identity in index.files.items()}
    Index(files, index.size_bytes).write(tree)


@contextmanager
def file_system(kind: str, size_megabytes: int) -> Iterator[Path]:
    """An empty one; ``plain`` is where temporary files are. Skips where it cannot be had."""
    root = Path(tempfile.mkdtemp(prefix="pushdeploy-ground-"))
    try:
        if kind == "plain":
            yield root
        else:
            with _mounted(kind, root, size_megabytes) as place:
                yield place
    finally:
        shutil.rmtree(root)


@contextmanager
def _mounted(kind: str, root: Path, size_megabytes: int) -> Iterator[Path]:
    program = shutil.which(f"mkfs.{kind}", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if program is None or os.geteuid() != 0:
        pytest.skip(f"mkfs.{kind} and root are needed")
    image, place = root / "image", root / kind
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(size_megabytes * 1024 * 1024)
    subprocess.run([program, "-q", image], check=True, capture_output=True)
    mount = ["mount", "-o", "loop", str(image), str(place)]
    done = subprocess.run(mount, check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no {kind} can be mounted here: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@contextmanager
def memory(place: Path, *options: str) -> Iterator[Path]:
    """A tmpfs, which has no reserve for root, mounted at ``place``. Skips where it cannot be."""
    place.mkdir(parents=True, exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(place)]
    mounted = subprocess.run(words, check=False, capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield place
    finally:
        # Whoever has cleared up below its parent has unmounted it too.
        subprocess.run(["umount", "--lazy", place], check=False, capture_output=True)


def remount(place: Path, option: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{option}", str(place)], check=True)


def fill(place: Path) -> Path:
    """To the last byte: the file to remove when there is to be room again."""
    ballast = place / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096, 1):
            with suppress(OSError):
                while file.write(bytes(size)):
                    pass
    return ballast
