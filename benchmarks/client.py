"""The stock OpenSSH client, set up alike for both servers, so that only the servers differ."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.stories.means import Result, outer_environment, run, wait_until

_LOGIN_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Client:
    """``alias`` is the server's name in the ssh configuration ``config``."""

    config: Path
    alias: str
    control: Path | None = None
    """The socket of a master connection to go through; a connection of its own without."""

    @classmethod
    def of(cls, alias: str, config: Path, address: str, user: str, key: Path) -> "Client":
        """Writes ``config``; ``address`` is ``host:port``."""
        host, _, port = address.rpartition(":")
        settings = {
            "HostName": host,
            "Port": port,
            "User": user,
            "IdentityFile": key,
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "UserKnownHostsFile": config.with_suffix(".known_hosts"),
            "StrictHostKeyChecking": "accept-new",
            "BatchMode": "yes",
            "ConnectTimeout": 60,
            "LogLevel": "ERROR",
        }
        lines = [f"Host {alias}", *(f"  {name} {value}" for name, value in settings.items())]
        config.write_text("\n".join(lines) + "\n")
        return cls(config, alias)

    def words(self, command: str, *options: str) -> list[str]:
        return [*self._ssh(), *options, self.alias, command]

    def run(self, command: str, *options: str) -> Result:
        """``AssertionError`` with what was said when it fails."""
        return run(self.words(command, *options), cwd=self.config.parent, check=True)

    def url(self, path: str) -> str:
        return f"{self.alias}:{path}"

    def git_environment(self) -> dict[str, str]:
        ssh = " ".join(self._ssh())
        return {**outer_environment(), "GIT_SSH_COMMAND": ssh, "GIT_TERMINAL_PROMPT": "0"}

    @contextmanager
    def through_master(self) -> Iterator["Client"]:
        """A client whose sessions all go over one connection, opened here."""
        control = self.config.with_suffix(".control")
        through = Client(self.config, self.alias, control)
        words = [*through._ssh(), "-M", "-N", self.alias]
        with subprocess.Popen(words, stdin=subprocess.DEVNULL) as master:
            try:
                wait_until(
                    lambda: control.exists() or master.poll() is not None,
                    _LOGIN_SECONDS,
                    lambda: f"ssh does not get in at {self.alias}",
                )
                yield through
            finally:
                master.terminate()

    def _ssh(self) -> list[str]:
        return ["ssh", "-F", str(self.config), "-o", f"ControlPath={self.control or 'none'}"]
