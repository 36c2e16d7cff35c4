"""The port of one git connection: the ssh server and the tests hand it to ``receive``."""

from typing import Protocol

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.names import KeyName


class GitSession(Protocol):
    """``cancellation`` is cancelled as soon as the client has gone."""

    @property
    def by(self) -> KeyName: ...
    @property
    def cancellation(self) -> Cancellation: ...
    def read(self, most: int = 65536) -> bytes:
        """Blocks; empty at the end of the client's input, which is not a disconnect."""

    def write(self, data: bytes) -> None:
        """All of ``data``; what a client that has gone would have read is dropped."""

    def write_error(self, data: bytes) -> None: ...
