"""A real git client, and what tests look at."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pushdeploy.domain.names import CommitId
from tests.unit.receive.host import DEADLINE_SECONDS

BRIDGE = Path(__file__).with_name("git_bridge.py")


@dataclass
class Client:
    """A real git client with one work tree."""

    folder: Path
    address: Path

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_SSH_VARIANT": "simple",
            "GIT_SSH_COMMAND": f"{sys.executable} -I -S {BRIDGE} {self.address}",
            **{
                f"GIT_{role}_{fact}": value
                for role in ("AUTHOR", "COMMITTER")
                for fact, value in (("NAME", "Alice"), ("EMAIL", "alice@example.com"))
            },
        }

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            ["git", *arguments],
            cwd=self.folder,
            env=self.environment,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def run(self, *arguments: str) -> tuple[int, str]:
        """Exit status and everything that was printed."""
        with self.start(*arguments) as child:
            output, _ = child.communicate(timeout=60)
        return child.returncode, output

    def git(self, *arguments: str) -> str:
        """What a git command that must succeed printed."""
        status, output = self.run(*arguments)
        assert status == 0, output
        return output.strip()

    def commit(self, **files: str) -> CommitId:
        """Commit these files (``__`` stands for a dot in a name): the new commit."""
        for name, text in files.items():
            path = self.folder / name.replace("__", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "change")
        return CommitId(self.git("rev-parse", "HEAD"))


def until(condition: Callable[[], object]) -> None:
    """Wait for something that another thread or process does."""
    end = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < end, "this did not happen in time"
        threading.Event().wait(0.01)


def files_in(repository: Path) -> set[str]:
    """All files of a bare repository: what a refused push must not change."""
    return {
        str(path.relative_to(repository)) for path in repository.rglob("*") if path.is_file()
    } | {str(path.relative_to(repository)) for path in (repository / "quarantine").glob("*")}
