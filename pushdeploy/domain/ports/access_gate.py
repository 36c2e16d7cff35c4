"""The port of access: asked before anything is done for somebody."""

from typing import Protocol

from pushdeploy.domain.names import AppName, KeyName
from pushdeploy.domain.need import Need


class AccessGate(Protocol):
    """A gate says whether somebody may act."""

    def check(self, by: KeyName, need: Need | None, act: str, app: AppName | None = None) -> None:
        """Raise ``UserError`` unless ``by`` may do what ``act`` says, like "push to shop".

        ``app`` is None for what is about no app, or about all of them.
        """
