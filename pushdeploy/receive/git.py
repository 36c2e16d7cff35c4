"""Starts git as a child process: limited, in its own session, with a bare environment."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.receive.limits import PackLimits
from pushdeploy.receive.messages import said_by_git

_SETTINGS = (
    "core.packedGitWindowSize=32m",
    "core.packedGitLimit=256m",
    "core.bigFileThreshold=32m",
    "pack.windowMemory=64m",
    "tar.umask=0022",
)
"""Small windows keep a child with a large pack in its address space; the last is for archives."""

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class GitFailed(PushdeployError):
    """A git child ended badly, and the message is the first line that it wrote."""


@dataclass(frozen=True, slots=True)
class Git:
    """A ``Git`` runs git on one bare repository, or on a quarantine in front of it.

    ``quarantine`` is an object directory that takes what is written and is read first;
    ``shallow`` stands in for the repository's own file of shallow commits.
    """

    directory: Path
    limits: PackLimits = field(default_factory=PackLimits)
    quarantine: Path | None = None
    shallow: Path | None = None
    niceness: int = 0

    def outside(self) -> "Git":
        """Return the same git on the repository alone."""
        return replace(self, quarantine=None, shallow=None)

    def command(self, arguments: Sequence[str]) -> list[str]:
        limits = self.limits
        shallow = ["--shallow-file", str(self.shallow)] if self.shallow else []
        settings = [word for setting in _SETTINGS for word in ("-c", setting)]
        return [
            *(["nice", f"-n{self.niceness}"] if self.niceness else []),
            "prlimit",
            f"--as={limits.memory_bytes}",
            f"--cpu={limits.cpu_seconds}",
            f"--fsize={limits.file_bytes}",
            "--core=0",
            "git",
            *shallow,
            *settings,
            *arguments,
        ]

    def environment(self) -> dict[str, str]:
        """Build the environment of a git child from nothing.

        Replace refs are off, for a push could bring one.
        """
        environment = {
            "PATH": _PATH,
            "HOME": "/nonexistent",
            "LC_ALL": "C",
            "MALLOC_ARENA_MAX": "2",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_LITERAL_PATHSPECS": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_DIR": str(self.directory),
        }
        if self.quarantine:
            environment["GIT_OBJECT_DIRECTORY"] = str(self.quarantine)
            environment["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = _quoted(self.directory / "objects")
        return environment

    def start(
        self,
        *arguments: str,
        stdin: int | IO[bytes] = subprocess.DEVNULL,
        stdout: int | IO[bytes] = subprocess.PIPE,
        stderr: int | IO[bytes] = subprocess.DEVNULL,
    ) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            self.command(arguments),
            env=self.environment(),
            cwd=self.directory,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )

    def read(
        self, *arguments: str, given: bytes = b"", cancellation: Cancellation | None = None
    ) -> bytes:
        """Return the output of a child. ``GitFailed`` with its first complaint, ``Cancelled``."""
        pipe = subprocess.PIPE
        child = self.start(*arguments, stdin=pipe, stdout=pipe, stderr=pipe)
        with child, (cancellation or Cancellation()).stopping(lambda: kill(child)):
            try:
                output, complaints = child.communicate(given, timeout=self.limits.timeout_seconds)
            except subprocess.TimeoutExpired as error:
                raise GitFailed(f"git {arguments[0]} took too long") from error
            finally:
                kill(child)
        if cancellation:
            cancellation.check()
        if child.returncode != 0:
            raise GitFailed(said_by_git(complaints) or f"git {arguments[0]} failed")
        return output


def kill(child: "subprocess.Popen[bytes]") -> None:
    """End a child and whatever it has started; nothing happens when it has ended."""
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)


@contextmanager
def running(child: "subprocess.Popen[bytes]") -> Iterator["subprocess.Popen[bytes]"]:
    """Wait for the child at the end, or kill it where the block does not get there."""
    with child:
        try:
            yield child
        except BaseException:
            kill(child)
            raise


def _quoted(path: Path) -> str:
    """As git unquotes an entry of GIT_ALTERNATE_OBJECT_DIRECTORIES, where a colon separates."""
    escaped = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
