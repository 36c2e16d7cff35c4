"""All errors are one tree: a message that states the fact, a hint that names the next command."""

from collections.abc import Sequence
from typing import ClassVar

BUG_STATUS = 70
"""What a command ends with when nobody had foreseen its error: EX_SOFTWARE of sysexits.h."""


class PushdeployError(Exception):
    """An error tells a user or an operator one line.

    ``exit_status`` is what the ssh command or ``git push`` ends with. ``serving`` tells what goes
    on serving in spite of the failure, where that is known.
    """

    exit_status: ClassVar[int] = 1
    serving: str = ""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UserError(PushdeployError):
    """The request cannot be carried out as it was made."""


class UnknownApp(UserError):
    """The app does not exist. Exit 20, as clients of Dokku expect."""

    exit_status: ClassVar[int] = 20

    def __init__(self, name: str) -> None:
        super().__init__(f"app {name} does not exist", "apps:list shows them all")


class RenamedApp(UnknownApp):
    """The app of that name is called otherwise now; ``hint`` says how to go on with it."""

    def __init__(self, name: str, now: str, hint: str) -> None:
        UserError.__init__(self, f"app {name} is called {now} now", hint)


class Cancelled(PushdeployError):
    """The client went away or somebody asked to stop, before the point of no return."""

    exit_status: ClassVar[int] = 130


class StageFailed(PushdeployError):
    """A stage of the flow failed because of what the app did."""

    stage: ClassVar[str] = "stage"

    def __init__(
        self,
        message: str,
        hint: str = "",
        *,
        exit_code: int | None = None,
        log_tail: Sequence[str] = (),
        details: Sequence[str] = (),
    ) -> None:
        """``exit_code`` is the app's own; ``log_tail`` its last lines, oldest first.

        ``details`` are lines of ours that say more than the message.
        """
        super().__init__(message, hint)
        self.exit_code = exit_code
        self.log_tail = tuple(log_tail)
        self.details = tuple(details)


class BuildFailed(StageFailed):
    """The build of a source failed."""

    stage: ClassVar[str] = "build"


class SnapshotFailed(StageFailed):
    """No snapshot could be taken before a release."""

    stage: ClassVar[str] = "snapshot"


class ReleaseFailed(StageFailed):
    """The release command failed."""

    stage: ClassVar[str] = "release"


class BootFailed(StageFailed):
    """A process of the release did not become healthy."""

    stage: ClassVar[str] = "boot"


class RouteFailed(StageFailed):
    """The route could not be switched to the new tasks."""

    stage: ClassVar[str] = "route"


class Busy(PushdeployError):
    """Somebody else holds the lock; the message says who, since when and doing what."""

    exit_status: ClassVar[int] = 75


class Overtaken(Busy):
    """A newer push of the same app arrived while this one was waiting."""


class BackendDown(PushdeployError):
    """Docker, nginx, a disk or the database cannot be reached; details are in the log."""

    exit_status: ClassVar[int] = 69


class NoRoom(BackendDown):
    """Something does not fit on a file system any more; the message has the numbers."""
