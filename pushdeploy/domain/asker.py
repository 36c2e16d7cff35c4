"""An asker: a person who wants something done, and may stop it."""

from dataclasses import dataclass

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.names import KeyName
from pushdeploy.domain.ports.output import Output


@dataclass(frozen=True, slots=True)
class Asker:
    """Who wants a change, where they read about it, and how they stop it."""

    by: KeyName
    output: Output
    cancellation: Cancellation
