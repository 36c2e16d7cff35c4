"""A Debian root file system is made of packages alone, where no image registry can be reached."""

import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from pushdeploy.build.stack_definitions import EXCLUDED_PATHS, StackDefinition
from pushdeploy.domain.errors import BackendDown

Hear = Callable[[str], object]
"""Takes a line while a command goes on."""

_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_PACKAGES = {"mmdebstrap": "mmdebstrap", "zstd": "zstd"}
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_TAIL_LINES = 12
_URI = re.compile(r"https?://[^\s\]]+?/debian(-security)?/?(?=\s|$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Mirrors:
    """Debian's packages come from these addresses."""

    archive: str = "http://deb.debian.org/debian"
    security: str = "http://deb.debian.org/debian-security"

    def sources(self, suite: str) -> Sequence[str]:
        return [
            f"deb {self.archive} {suite} main",
            f"deb {self.archive} {suite}-updates main",
            f"deb {self.security} {suite}-security main",
        ]


def mirrors_of(texts: Sequence[str]) -> Mirrors:
    """The mirrors that apt's own source files name, else Debian's.

    Mirrors on loopback are passed over: containers do not reach them.
    """
    active = "\n".join(
        line for text in texts for line in text.splitlines() if not line.lstrip().startswith("#")
    )
    found: dict[bool, str] = {}
    for match in _URI.finditer(active):
        uri = match.group(0).rstrip("/")
        if not re.match(r"https?://(localhost|127\.)", uri):
            found.setdefault(bool(match.group(1)), uri)
    default = Mirrors()
    return Mirrors(found.get(False, default.archive), found.get(True, default.security))


def host_mirrors(directory: Path = Path("/etc/apt")) -> Mirrors:
    files = [directory / "sources.list", *sorted(directory.glob("sources.list.d/*"))]
    return mirrors_of([file.read_text(errors="replace") for file in files if file.is_file()])


def command(stack: StackDefinition, mirrors: Mirrors) -> Sequence[str]:
    """The mmdebstrap call that writes the run stack's tar to its stdout."""
    excludes = [f"--dpkgopt=path-exclude={path}" for path in EXCLUDED_PATHS]
    hook = stack.script.replace("\n", "; ").rstrip("; ")
    return [
        "mmdebstrap",
        "--verbose",
        "--variant=minbase",
        "--format=tar",
        f"--include={','.join(stack.run_packages)}",
        '--aptopt=Acquire::Languages "none"',
        *excludes,
        f"--keyring={_KEYRING}",
        f"--customize-hook=chroot \"$1\" sh -ec '{hook}'",
        stack.suite,
        "-",
        *mirrors.sources(stack.suite),
    ]


def require_tools() -> None:
    """Raise ``BackendDown`` with what to install when something is missing."""
    missing = [package for tool, package in _PACKAGES.items() if not shutil.which(tool)]
    if not _KEYRING.exists():
        missing.append("debian-archive-keyring")
    if missing:
        raise BackendDown(
            f"a stack cannot be made without {' and '.join(missing)}",
            f"apt-get install -y {' '.join(missing)}",
        )


def bootstrap(stack: StackDefinition, mirrors: Mirrors, archive: Path, hear: Hear) -> None:
    """Write the run stack to ``archive`` (.tar.zst), whole or not at all. Takes 20 to 140 s.

    ``hear`` gets each line that mmdebstrap says meanwhile.
    """
    require_tools()
    unfinished = archive.with_suffix(".part")
    environment = {
        "SOURCE_DATE_EPOCH": str(stack.epoch),
        "PATH": _PATH,
        "LC_ALL": "C.UTF-8",
    }
    try:
        with archive.with_suffix(".log").open("w+b") as log:
            _run_pipe(command(stack, mirrors), environment, unfinished, (log, hear))
        unfinished.rename(archive)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def unpacked(archive: Path) -> Iterator[BinaryIO]:
    """The plain tar of a .tar.zst."""
    command = ["zstd", "-dcq", str(archive)]
    with subprocess.Popen(command, env={"PATH": _PATH}, stdout=subprocess.PIPE) as process:
        yield cast("BinaryIO", process.stdout)
    if process.returncode:
        raise BackendDown(f"{archive} is damaged", f"rm {archive}, then try again")


def _run_pipe(
    arguments: Sequence[str],
    environment: Mapping[str, str],
    target: Path,
    ears: tuple[BinaryIO, Hear],
) -> None:
    log, hear = ears
    with (
        subprocess.Popen(
            arguments,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as make,
        subprocess.Popen(
            ["zstd", "-3", "-T0", "-qf", "-o", str(target)],
            env={"PATH": _PATH},
            stdin=make.stdout,
            stderr=log,
        ) as pack,
    ):
        assert make.stdout is not None
        assert make.stderr is not None
        make.stdout.close()
        for line in make.stderr:
            log.write(line)
            hear(line.decode(errors="replace"))
    if make.returncode or pack.returncode:
        log.seek(0)
        said = log.read().decode(errors="replace").splitlines()
        errors = [line for line in said if line[:2] in {"E:", "W:"}][-_TAIL_LINES:]
        raise BackendDown(
            f"mmdebstrap failed: {' / '.join(errors)}",
            f"read {getattr(log, 'name', 'its log')}; is the Debian mirror reachable?",
        )
