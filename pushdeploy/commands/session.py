"""A session is one ssh request as commands see it: who asks, where input and output go."""

from typing import Protocol

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.names import KeyName
from pushdeploy.domain.ports.streams import Streams


class Session(Streams, Protocol):
    """``cancellation`` is cancelled as soon as the client has gone.

    With a terminal, until ``raw_mode``: what is written gets its newlines as a terminal wants
    them, and a Ctrl-C that comes while nobody is reading cancels.
    """

    by: KeyName
    cancellation: Cancellation

    def sends_within(self, seconds: float) -> bool:
        """Tell whether the client has sent something, or the end of it, before so much time has
        passed: ssh without a file says nothing, and waits for what a person types."""

    def raw_mode(self) -> None:
        """Let bytes pass untouched from now on, as for an attached container."""
