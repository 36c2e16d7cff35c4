"""The rule that keeps containers from opening connections to this host's own services."""

import logging
import shutil
import subprocess
from collections.abc import Sequence

_log = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 15


def close(bridge: str) -> None:
    """Drop new connections from ``bridge`` to the host; answers to the host's own pass.

    Where that is not possible (no iptables, not root) a warning in the log says so.
    """
    if _iptables("-C", bridge) != 0 and _iptables("-I", bridge) != 0:
        _log.warning(
            "containers can reach this host's own services:"
            " iptables could not be changed (it must be installed, and pushdeploy run as root)"
        )


def open_again(bridge: str) -> None:
    """Remove the rule; nothing happens when it is not there."""
    while _iptables("-C", bridge) == 0:
        if _iptables("-D", bridge) != 0:
            return


def rule(bridge: str) -> Sequence[str]:
    return ["INPUT", "-i", bridge, "-m", "conntrack", "--ctstate", "NEW", "-j", "DROP"]


def _iptables(action: str, bridge: str) -> int:
    program = shutil.which("iptables", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if program is None:
        return 127
    return subprocess.run(
        [program, "-w", action, *rule(bridge)],
        env={"PATH": "/usr/sbin:/sbin:/usr/bin:/bin"},
        check=False,
        capture_output=True,
        timeout=_TIMEOUT_SECONDS,
    ).returncode
