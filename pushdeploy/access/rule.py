"""The rule of access, without a look at anything: which role may do what."""

from collections.abc import Callable, Mapping
from typing import Literal

from pushdeploy.domain.names import AppName
from pushdeploy.domain.need import Need

Role = Literal["admin"]
Rule = Callable[[Role, Need | None, AppName | None], bool]

_MAY: Mapping[Role, frozenset[Need]] = {"admin": frozenset({"anyone", "read", "change", "admin"})}


def allows(role: Role, need: Need | None, app: AppName | None) -> bool:
    """Closed by default: a role or a need that the table does not have is refused, and so is None.

    A role holds for all apps.
    """
    del app
    return need in _MAY.get(role, frozenset())
