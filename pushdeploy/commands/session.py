"""One ssh exec request as commands see it: who asks, and where input and output go."""

from typing import Protocol

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.names import KeyName
from pushdeploy.domain.ports import Streams


class Session(Streams, Protocol):
    """``cancellation`` is cancelled as soon as the client has gone."""

    by: KeyName
    cancellation: Cancellation
