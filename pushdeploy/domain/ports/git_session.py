"""A git connection reaches ``receive`` through this port, from the ssh server or from tests."""

from typing import Protocol

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.names import KeyName


class GitSession(Protocol):
    """A session's ``cancellation`` is cancelled as soon as the client has gone."""

    @property
    def by(self) -> KeyName: ...
    @property
    def cancellation(self) -> Cancellation: ...
    def read(self, most: int = 65536) -> bytes:
        """Block until bytes come; return none at the end of input, which is not a disconnect."""

    def write(self, data: bytes) -> None:
        """Write the whole of ``data``, and drop it once the client has gone."""

    def write_error(self, data: bytes) -> None: ...
