"""What a stock ssh client reads: its configuration, and the key of the server that it knows."""

from pathlib import Path

from tests.stories.means import run_checked


def client_config(root: Path, port: int, key: Path) -> str:
    """Host ``deploy``, with everything that is written below ``root``."""
    return "\n".join(
        [
            "Host deploy",
            "  HostName 127.0.0.1",
            f"  Port {port}",
            "  User deploy",
            f"  IdentityFile {key}",
            "  IdentitiesOnly yes",
            "  IdentityAgent none",
            f"  UserKnownHostsFile {root / 'known_hosts'}",
            "  StrictHostKeyChecking yes",
            "  BatchMode yes",
            "  ConnectTimeout 30",
            f"  ControlPath {root / 'control'}",
            "  ControlMaster no",
            "  LogLevel ERROR",
            "",
        ]
    )


def known_host(home: Path, port: int) -> str:
    """The line of known_hosts for the server of this home."""
    key = str(home / "ssh_host_ed25519_key")
    return f"[127.0.0.1]:{port} {run_checked(['ssh-keygen', '-y', '-f', key], cwd=home).stdout}"
