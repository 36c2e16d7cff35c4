"""One command being run: what it works with, who asks, and where the answer goes."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pushdeploy.commands.cases import Flows, Reads
from pushdeploy.commands.platform import Platform
from pushdeploy.commands.session import Session
from pushdeploy.domain.asker import Asker
from pushdeploy.output import Output
from pushdeploy.store import Store

if TYPE_CHECKING:
    from pushdeploy.commands.face.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Request:
    """The first argument of every command."""

    platform: Platform
    session: Session
    output: Output
    catalogue: "Catalogue"

    @property
    def reads(self) -> Reads:
        return Reads(self.platform)

    @property
    def flows(self) -> Flows:
        return Flows(self.platform)

    @property
    def store(self) -> Store:
        return self.platform.store

    @property
    def asker(self) -> Asker:
        return Asker(self.session.by, self.output, self.session.cancellation)
