"""The operator's own script, hooks/dns-01, writes and removes the records that prove a name."""

from dataclasses import dataclass
from typing import Literal

from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.names import HostName
from pushdeploy.domain.plain import plain
from pushdeploy.lifecycle import Lifecycle
from pushdeploy.output import Quiet

_EVENT = "dns-01"
_LAST_CHARACTERS = 300


class HookFailed(PushdeployError):
    """The script has not done what it was asked for."""


@dataclass(frozen=True, slots=True)
class DnsHook:
    """Without a script of the operator no wildcard can be proved: none is shipped."""

    lifecycle: Lifecycle

    @property
    def is_there(self) -> bool:
        return self.lifecycle.script(_EVENT) is not None

    def add(self, host: HostName, value: str) -> None:
        """Return when the script has; ``HookFailed`` with its last words otherwise."""
        self._run("add", host, value)

    def remove(self, host: HostName, value: str) -> None:
        self._run("remove", host, value)

    def _run(self, action: Literal["add", "remove"], host: HostName, value: str) -> None:
        facts = {
            "DNS01_ACTION": action,
            "DNS01_NAME": record_name(host),
            "DNS01_VALUE": value,
            "DNS01_DOMAIN": host.removeprefix("*."),
        }
        said = _Words()
        try:
            self.lifecycle.run("dns-01", facts, said)
        except PushdeployError as error:
            raise HookFailed(f"{error.message}{said.told}", error.hint) from error


def record_name(host: HostName) -> str:
    """The name of the TXT record (RFC 8555, 8.4): that of a wildcard is the one of its parent."""
    return f"_acme-challenge.{host.removeprefix('*.')}"


class _Words(Quiet):
    """The last words of a script, for the one line that a reason has."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def detail(self, text: str) -> None:
        self._lines.append(text)

    @property
    def told(self) -> str:
        said = " ".join(plain(" ".join(self._lines)).split())
        shown = said if len(said) <= _LAST_CHARACTERS else f"…{said[-_LAST_CHARACTERS:]}"
        return f": {shown}" if shown else ""
