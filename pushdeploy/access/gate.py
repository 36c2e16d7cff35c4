"""The one gate in front of every command: closed to whoever is not known to be allowed."""

from collections.abc import Mapping
from typing import Literal

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import KeyName
from pushdeploy.store import Store

Need = Literal["anyone", "admin"]
Role = Literal["admin"]

_ALLOWED: Mapping[Role | None, frozenset[Need]] = {"admin": frozenset({"anyone", "admin"})}
"""What each role may use; a role, or a need, that is not here is refused."""


def check_access(store: Store, by: KeyName, needs: Need, command: str) -> None:
    """``UserError`` unless the owner of ``by`` may use a command with these ``needs``."""
    role = role_of(store, by)
    if role is None:
        # Closes the hole of a connection that was opened before its key was removed.
        raise UserError(f"the key {by} may not use this server any more", "ask for a new one")
    if not allowed(role, needs):
        raise UserError(f"{by} may not use {command}", "ask an admin of this server")


def role_of(store: Store, by: KeyName) -> Role | None:
    """Every key of the store is an admin's; None for a key that is not there."""
    return "admin" if any(key.name == by for key in store.keys.list()) else None


def allowed(role: Role | None, needs: Need) -> bool:
    return needs in _ALLOWED.get(role, frozenset())
