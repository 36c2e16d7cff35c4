"""The rival: OpenSSH's sshd with a configuration, keys and a port of its own, beside any other."""

import getpass
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.client import Client
from tests.stories.means import free_ports, run_checked, wait_until

_PRIVILEGE_SEPARATION = Path("/run/sshd")
"""Compiled in: an empty directory that an sshd of root wants to see."""

_CONFIG = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {root}/host_key
AuthorizedKeysFile {root}/authorized_keys
PidFile none
StrictModes no
UsePAM no
UseDNS no
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
PrintMotd no
PrintLastLog no
MaxStartups 300
MaxSessions 64
LogLevel ERROR
# Its default, sntrup761, costs both ends 60 ms more and would flatter ours.
KexAlgorithms curve25519-sha256
# bash reads ~/.bashrc for every command of an sshd, unless it believes that it is nested.
SetEnv SHLVL=5
"""


@dataclass(frozen=True, slots=True)
class Sshd:
    """Logs in whoever runs the benchmark, with one key."""

    root: Path
    client: Client
    process: subprocess.Popen[bytes]

    @classmethod
    def start(cls, root: Path, key: Path) -> "Sshd":
        """``AssertionError`` with the command to type, or with what sshd said."""
        program = _program()
        root.mkdir()
        (port,) = free_ports(1)
        run_checked(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(root / "host_key")], cwd=root
        )
        shutil.copy(key.with_suffix(".pub"), root / "authorized_keys")
        (root / "sshd_config").write_text(_CONFIG.format(port=port, root=root))
        if os.geteuid() == 0:
            _PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
        with (root / "log").open("wb") as log:
            process = subprocess.Popen(
                [program, "-D", "-e", "-f", str(root / "sshd_config")],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        client = Client.of(
            "rival", root / "ssh_config", f"127.0.0.1:{port}", getpass.getuser(), key
        )
        sshd = cls(root, client, process)
        sshd._wait_for_it(port)
        return sshd

    @property
    def pid(self) -> int:
        return self.process.pid

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()

    def new_repository(self, name: str) -> str:
        """An empty bare one for ``git receive-pack``: its URL."""
        path = self.root / f"{name}.git"
        run_checked(["git", "init", "-q", "--bare", "-b", "main", str(path)], cwd=self.root)
        return self.client.url(str(path))

    def remove_repository(self, name: str) -> None:
        shutil.rmtree(self.root / f"{name}.git")

    def _wait_for_it(self, port: int) -> None:
        wait_until(
            lambda: self.process.poll() is not None or _listens(port),
            30,
            lambda: f"sshd does not listen:\n{self._said()}",
        )
        assert self.process.poll() is None, f"sshd ended:\n{self._said()}"
        self.client.run("true")

    def _said(self) -> str:
        return (self.root / "log").read_text(errors="replace")


def _program() -> str:
    """sshd starts itself anew for each connection and wants to be called by its full path."""
    found = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    assert found, "there is no sshd to compare with: bin/bench installs openssh-server"
    return found


def _listens(port: int) -> bool:
    """Without a connection that its log would tell of."""
    listening = f":{port:04X} 00000000:0000 0A"
    return listening in Path("/proc/net/tcp").read_text()
