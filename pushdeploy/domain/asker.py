"""An asker: a person who wants something done, and may stop it."""

from dataclasses import dataclass

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.names import KeyName
from pushdeploy.domain.ports.output import Output


@dataclass(frozen=True, slots=True)
class Asker:
    """An asker wants a change, reads about it at ``output``, and may stop it."""

    by: KeyName
    output: Output
    cancellation: Cancellation
