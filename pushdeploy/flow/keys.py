"""Keys: who may log in, and how nobody shuts themselves out without having meant it."""

from collections.abc import Sequence
from dataclasses import dataclass

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import KeyName
from pushdeploy.domain.public_key import PublicKey
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class KeyChanges:
    """Keys are added and removed here."""

    store: Store

    def add(self, *keys: PublicKey) -> None:
        self.store.keys.add(*keys)

    def remove(self, name: KeyName, by: KeyName, *, force: bool) -> Sequence[KeyName]:
        """Let NAME in no longer: the keys that came with it and are still there.

        ``UserError`` for the last key and for that of ``by``, unless by ``force``.
        """
        if not force:
            self._refuse_lockout(name, by)
        self.store.keys.remove(name)
        return self.store.keys.beside(name)

    def _refuse_lockout(self, name: KeyName, by: KeyName) -> None:
        why = ""
        if [key.name for key in self.store.keys.list()] == [name]:
            why = f"{name} is the last key: nobody could log in any more"
        elif name == by:
            why = f"{name} is the key that you are using: you could not log in any more"
        if why:
            raise UserError(why, f"keys:remove {name} --force does it all the same")
