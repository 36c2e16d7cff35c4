"""Our side of the comparison: a child process with benchmarks/host.py in it."""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.client import Client
from tests.stories.means import outer_environment

_CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Ours:
    """Goes away by itself when the benchmark does."""

    root: Path
    address: str
    client: Client
    process: subprocess.Popen[str]

    @classmethod
    def start(cls, root: Path, key: Path) -> "Ours":
        """``AssertionError`` with what it said when it does not come up."""
        root.mkdir()
        shutil.copy(key.with_suffix(".pub"), root / "key.pub")
        with (root / "log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.host", str(root)],
                cwd=_CHECKOUT,
                env=outer_environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address, f"our server ended:\n{(root / 'log').read_text(errors='replace')}"
        client = Client.of("ours", root / "ssh_config", address, "deploy", key)
        client.run("true")
        return cls(root, address, client, process)

    @property
    def pid(self) -> int:
        return self.process.pid

    def stop(self) -> None:
        self.process.communicate()

    def new_repository(self, name: str) -> str:
        """The URL of one that the first push will make."""
        return self.client.url(name)

    def remove_repository(self, name: str) -> None:
        shutil.rmtree(self.repository(name))

    def repository(self, name: str) -> Path:
        return self.root / "repositories" / f"{name}.git"
