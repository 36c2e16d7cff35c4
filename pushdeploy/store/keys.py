"""The public keys in the store may log in, each under a name."""

import hashlib
import re
from collections.abc import Mapping, Sequence

from sqlalchemy import delete, insert, or_, select

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import KeyName
from pushdeploy.domain.public_key import PublicKey
from pushdeploy.store.database import DuplicateRow, Stored
from pushdeploy.store.schema import KEYS


class Keys(Stored):
    """A key is known by its name, which says who did what."""

    def add(self, *keys: PublicKey) -> None:
        """Add all keys or none.

        ``UserError`` when a name is taken, or a key itself is there under another.
        """
        try:
            with self._database.changing() as connection:
                for key in keys:
                    connection.execute(insert(KEYS).values(**_values(key)))
        except DuplicateRow as error:
            raise self._taken(keys) from error

    def remove(self, name: KeyName) -> None:
        """Raise ``UserError`` when there is none of that name."""
        with self._database.changing() as connection:
            if not connection.execute(delete(KEYS).where(KEYS.c.name == str(name))).rowcount:
                raise UserError(f"there is no key {name}", "keys:list shows them all")

    def list(self) -> Sequence[PublicKey]:
        """List the keys in the order of their names."""
        query = select(KEYS.c.name, KEYS.c.kind, KEYS.c.base64, KEYS.c.fingerprint)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(KEYS.c.name)).all()
        return [PublicKey(KeyName(row.name), row.kind, row.base64, row.fingerprint) for row in rows]

    def has(self, name: KeyName) -> bool:
        query = select(KEYS.c.name).where(KEYS.c.name == str(name))
        with self._database.reading() as connection:
            return connection.execute(query).first() is not None

    def beside(self, name: KeyName) -> Sequence[KeyName]:
        """List the keys that came in one text with the key of this name: NAME-2 and so on."""
        return [
            key.name for key in self.list() if re.fullmatch(rf"{re.escape(name)}-\d+", key.name)
        ]

    def find(self, kind: str, base64: str) -> KeyName | None:
        """Return the name of the key, which every login asks for and an index answers."""
        query = select(KEYS.c.name).where(KEYS.c.digest == _digest(kind, base64))
        with self._database.reading() as connection:
            name = connection.execute(query).scalar()
        return KeyName(name) if name is not None else None

    def _taken(self, keys: Sequence[PublicKey]) -> UserError:
        """Why they could not be added: the first that is there, else the first name that is."""
        for key in keys:
            owner = self._owner(key)
            if owner is not None and owner != key.name:
                return UserError(
                    f"this key is there already, as {owner}", "keys:list shows them all"
                )
        names = {each.name for each in self.list()}
        taken = next((key.name for key in keys if key.name in names), keys[0].name)
        return UserError(f"there is a key {taken} already", "choose another name for this one")

    def _owner(self, key: PublicKey) -> str | None:
        same = or_(
            KEYS.c.fingerprint == key.fingerprint,
            KEYS.c.digest == _digest(key.kind, key.base64),
        )
        with self._database.reading() as connection:
            return connection.execute(select(KEYS.c.name).where(same)).scalar()


def _values(key: PublicKey) -> Mapping[str, str]:
    return {
        "name": str(key.name),
        "kind": key.kind,
        "base64": key.base64,
        "fingerprint": key.fingerprint,
        "digest": _digest(key.kind, key.base64),
    }


def _digest(kind: str, base64: str) -> str:
    """Of fixed length, for an RSA key may be longer than an index entry."""
    return hashlib.sha256(f"{kind} {base64}".encode()).hexdigest()
