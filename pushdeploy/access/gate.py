"""The one gate in front of ssh commands, git push and git fetch; the rule decides."""

from dataclasses import dataclass

from pushdeploy.access.rule import Role, Rule, allows
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import AppName, KeyName
from pushdeploy.domain.need import Need
from pushdeploy.store.keys import Keys


@dataclass(frozen=True, slots=True)
class Gate:
    """The port ``AccessGate`` over the keys of the store."""

    keys: Keys
    rule: Rule = allows

    def check(self, by: KeyName, need: Need | None, act: str, app: AppName | None = None) -> None:
        """``UserError`` also for a key that was removed after its connection was opened."""
        role = self.role_of(by)
        if role is None:
            raise no_key_any_more(by)
        if not self.rule(role, need, app):
            raise UserError(f"{by} may not {act}", "ask an admin of this server")

    def role_of(self, by: KeyName) -> Role | None:
        """Every key of the store is an admin's; None for a key that is not there."""
        return "admin" if self.keys.has(by) else None


def no_key_any_more(by: str) -> UserError:
    return UserError(f"the key {by} may not use this server any more", "ask for a new one")
