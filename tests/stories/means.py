"""What the stories are made with: programs that are run, and waits with a deadline."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

CALL_SECONDS = 240

Result = subprocess.CompletedProcess[str]


@dataclass(frozen=True, slots=True)
class Answer:
    """What nginx answered; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: str


def wait_until(condition: Callable[[], bool], seconds: float, complaint: Callable[[], str]) -> None:
    """Look again and again until it is so; fail with the complaint after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, complaint()
        time.sleep(0.02)


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def run(
    words: Sequence[str],
    *,
    cwd: Path,
    input: str = "",
    check: bool = False,
    timeout: float = CALL_SECONDS,
    environment: Mapping[str, str] | None = None,
) -> Result:
    """Both outputs kept apart; with ``check`` a failure shows them."""
    result = subprocess.run(
        words,
        cwd=cwd,
        input=input,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=timeout,
        check=False,
        env=dict(environment) if environment is not None else outer_environment(),
    )
    if check and result.returncode:
        shown = " ".join(words[-4:])
        raise AssertionError(
            f"{shown} ended with {result.returncode}\n{result.stdout}\n{result.stderr}"
        )
    return result


def run_checked(words: Sequence[str], *, cwd: Path) -> Result:
    return run(words, cwd=cwd, check=True)


def outer_environment() -> dict[str, str]:
    """Ours without what would change how git, ssh or pushdeploy behave."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PUSHDEPLOY_", "GIT_", "SSH_"))
    }
    return {
        **ours,
        "LC_ALL": "C.UTF-8",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
    }


def trusted_certificates() -> dict[str, str]:
    """Builds trust what the tests' own machine trusts."""
    bundle = os.environ.get("PUSHDEPLOY_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE")
    return {"ca_bundle": bundle} if bundle else {}
