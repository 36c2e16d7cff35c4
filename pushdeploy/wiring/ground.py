"""The ground: what all parts of a server stand on, opened before any of them is made."""

from dataclasses import dataclass

from pushdeploy.context import Locks
from pushdeploy.domain.ports.engine import Engine
from pushdeploy.instance import Home
from pushdeploy.lifecycle import Lifecycle
from pushdeploy.settings import Settings
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class Ground:
    """All parts of a server stand on this ground."""

    settings: Settings
    home: Home
    instance: str
    store: Store
    locks: Locks
    engine: Engine
    lifecycle: Lifecycle
