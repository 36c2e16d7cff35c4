"""A check of the doctor: what it looks at, and where its findings stand among the others."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from shlex import quote

from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.finding import Finding
from pushdeploy.instance import Home
from pushdeploy.listeners import owners
from pushdeploy.settings import Settings


@dataclass(frozen=True, slots=True)
class Installation:
    """What the doctor looks at: one home, and the settings that hold for it."""

    settings: Settings
    home: Home

    @property
    def init(self) -> str:
        """What to type where there is no home."""
        return f"pushdeploy init --home {quote(str(self.home.root))}"

    @property
    def serving(self) -> bool:
        """Whether the server of this home runs."""
        own = server_pid(self.home)
        return any(str(each.pid) == own for each in owners(self.settings.ssh.port))


@dataclass(frozen=True, slots=True)
class Check:
    """``order`` says where its findings stand, the lowest first."""

    order: int
    look: Callable[[Installation], Iterable[Finding]]


def tried(check: str, look: Callable[[], str]) -> Finding:
    """The finding of something that is well unless looking at it raises."""
    try:
        return Finding(check, True, look())
    except PushdeployError as error:
        return Finding(check, False, error.message, error.hint)
    except OSError as error:
        return Finding(check, False, str(error), "restore it from a backup")


def server_pid(home: Home) -> str:
    """The process that the server of this home wrote down; empty where none did."""
    if not home.pid_file.exists():
        return ""
    return home.pid_file.read_text(errors="replace").strip()
