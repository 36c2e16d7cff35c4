"""The port between git and the flow: receive calls it when somebody pushes."""

from collections.abc import Sequence
from typing import Protocol

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.names import AppName
from pushdeploy.domain.push import Push
from pushdeploy.domain.source import Source


class PushReceiver(Protocol):
    """Receive calls it when the objects of a push to the deploy branch are stored."""

    def open(self, app: AppName) -> Sequence[str]:
        """Called before every push: makes the app where it does not exist, and says so in lines."""

    def missing(self, app: AppName) -> PushdeployError:
        """Make the error for somebody who fetches from an app that does not exist."""

    def abandon(self, app: AppName) -> None:
        """Called when a push that made the app ended before anything was built.

        Removes the app if it has nothing.
        """

    def deploy_branch(self, app: AppName, offered: Sequence[str]) -> str:
        """The branch that deploys: the app's setting, else main, else master when offered."""

    def deploy(self, push: Push, source: Source, asker: Asker) -> None:
        """Returns when the commit is live and the ref has moved; else raises a PushdeployError."""
