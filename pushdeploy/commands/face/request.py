"""A request is one command being run: what it may ask, who asks, and where the answer goes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pushdeploy.access.gate import Gate
from pushdeploy.commands.session import Session
from pushdeploy.context import Context, Flow, Reads
from pushdeploy.domain.asker import Asker
from pushdeploy.output import Output
from pushdeploy.store import Store
from pushdeploy.upkeep.parts import Upkeep

if TYPE_CHECKING:
    from pushdeploy.commands.face.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Request:
    """The first argument of every command."""

    context: Context
    session: Session
    output: Output
    catalogue: "Catalogue"

    @property
    def gate(self) -> Gate:
        return self.context.gate

    @property
    def flow(self) -> Flow:
        return self.context.flow

    @property
    def reads(self) -> Reads:
        return self.context.reads

    @property
    def upkeep(self) -> Upkeep:
        return self.context.upkeep

    @property
    def store(self) -> Store:
        return self.context.store

    @property
    def asker(self) -> Asker:
        return Asker(self.session.by, self.output, self.session.cancellation)
