"""The firewall refuses nginx's old workers new connections to tasks that are to be stopped.

A reload leaves old workers for some seconds, and they know only the old tasks. A task that dies
under a request has lost it when it was a POST; a connection that is refused costs nothing, for
nginx then asks the workers of today. The rules refuse new connections only, and only nginx's.
"""

import hashlib
import logging
import shutil
import subprocess
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from pushdeploy.domain.names import AppName
from pushdeploy.domain.route import Target

_log = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 15
_PATH = "/usr/sbin:/sbin:/usr/bin:/bin"

Refused = Mapping[AppName, tuple[int, frozenset[Target]]]
"""For each app the workers' user id and the targets that it may not connect to."""


class Refusals:
    """The rules of one home, in a chain of its own. Thread-safe."""

    def __init__(self, home: Path) -> None:
        self._chain = chain_name(home)
        self._guard = threading.Lock()
        self._refused: dict[AppName, tuple[int, frozenset[Target]]] = {}
        self._warned = False

    def add(self, app: AppName, user: int, targets: Collection[Target]) -> bool:
        """Refuse ``user``'s new connections to ``targets``: whether that is so now.

        Where it is not possible (no iptables, not root, IPv6) a warning in the log says so once.
        """
        if not targets:
            return True
        with self._guard:
            wanted = {**self._refused, app: (user, frozenset(targets))}
            if self._make(wanted):
                return True
            if not self._warned:
                self._warned = True
                _log.warning(
                    "requests may be lost when tasks are stopped: iptables could not be changed"
                    " (it must be installed, and pushdeploy run as root)"
                )
            return False

    def lift(self, targets: Iterable[Target]) -> None:
        """``targets`` serve: an address may have been given to another task meanwhile."""
        serving = frozenset(targets)
        with self._guard:
            if any(serving & refused for _, refused in self._refused.values()):
                self._make({a: (u, t - serving) for a, (u, t) in self._refused.items()})

    def forget(self, app: AppName) -> None:
        with self._guard:
            if app in self._refused:
                self._make({a: rule for a, rule in self._refused.items() if a != app})

    def clear(self) -> None:
        """Remove what a killed server left; also what this one knows of."""
        with self._guard:
            self._refused = {}
            if self._is_chained():
                self._make({})

    def _make(self, wanted: Refused) -> bool:
        kept = {app: rule for app, rule in wanted.items() if rule[1]}
        made = self._restore(kept, chained=bool(self._refused))
        if not made:  # a firewall that was loaded anew meanwhile has taken our jump along
            made = self._restore(kept, chained=self._is_chained())
        if made:
            self._refused = kept
        return made

    def _restore(self, refused: Refused, *, chained: bool) -> bool:
        text = rules(self._chain, refused, chained=chained)
        return _run("iptables-restore", "-w", "--noflush", text=text) == 0

    def _is_chained(self) -> bool:
        return _run("iptables", "-w", "-C", *jump(self._chain)) == 0


def chain_name(home: Path) -> str:
    """The name has at most 28 characters and stays the same for ever."""
    return "pushdeploy-" + hashlib.sha256(str(home).encode()).hexdigest()[:10]


def jump(chain: str) -> Sequence[str]:
    return ["OUTPUT", "-p", "tcp", "--syn", "-j", chain]


def rules(chain: str, refused: Refused, *, chained: bool) -> str:
    """For iptables-restore(8), which makes all of it true at once.

    ``chained``: there is a jump to the chain. Without anything refused both are removed.
    """
    lines = ["*filter", f":{chain} - [0:0]"]
    for app, (user, targets) in sorted(refused.items()):
        lines += [_rule(chain, app, user, target) for target in sorted(targets)]
    if refused and not chained:
        lines.append(f"-I {' '.join(jump(chain))}")
    if chained and not refused:
        lines.append(f"-D {' '.join(jump(chain))}")
    if not refused:
        lines.append(f"-X {chain}")
    return "\n".join([*lines, "COMMIT", ""])


def _rule(chain: str, app: AppName, user: int, target: Target) -> str:
    return (
        f"-A {chain} -d {target.address} -p tcp --dport {target.port} --syn"
        f" -m owner --uid-owner {user}"
        f' -m comment --comment "pushdeploy: {app} is held" -j REJECT --reject-with tcp-reset'
    )


def _run(program: str, *arguments: str, text: str = "") -> int:
    found = shutil.which(program, path=_PATH)
    if found is None:
        return 127
    return subprocess.run(
        [found, *arguments],
        env={},
        input=text,
        text=True,
        check=False,
        capture_output=True,
        timeout=_TIMEOUT_SECONDS,
    ).returncode
