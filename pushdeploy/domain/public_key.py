"""A public key that signed the last request of a login says who is asking."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.key_blob import WANTED, fingerprint
from pushdeploy.domain.key_text import KeyText, keys_in
from pushdeploy.domain.names import KeyName


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A key and whose it is; ``fingerprint`` as ``SHA256:…`` of OpenSSH.

    ``options`` stood before it where it was read, and hold no longer.
    """

    name: KeyName
    kind: str
    base64: str
    fingerprint: str
    options: Sequence[str] = ()

    @classmethod
    def parse(cls, name: KeyName, text: str) -> Self:
        """The one key of a text. ``UserError`` says what is wrong."""
        keys = cls.several(name, text)
        if len(keys) > 1:
            raise UserError(f"there are {len(keys)} keys where one was expected", WANTED)
        return keys[0]

    @classmethod
    def several(cls, name: KeyName, text: str) -> Sequence[Self]:
        """Read every key of a text, in any form that people have, as NAME, NAME-2 and so on.

        ``UserError`` says what is wrong with the first that cannot be used.
        """
        found = keys_in(text)
        names = [name, *(KeyName.parse(f"{name}-{number}") for number in range(2, len(found) + 1))]
        return [cls._of(owner, key) for owner, key in zip(names, found, strict=True)]

    @classmethod
    def _of(cls, name: KeyName, key: KeyText) -> Self:
        encoded = base64.b64encode(key.blob).decode()
        return cls(name, key.kind, encoded, fingerprint(key.blob), key.options)

    @property
    def line(self) -> str:
        return f"{self.kind} {self.base64} {self.name}"

    @property
    def admission(self) -> Sequence[str]:
        """Return the lines for the person who has let the key in."""
        told = [f"{self.name} may deploy with {self.fingerprint}"]
        if self.options:
            told.append(f"       its {', '.join(dict.fromkeys(self.options))} does not hold here")
        return told


@dataclass(frozen=True, slots=True)
class Login:
    """A key that has logged in: its bytes, and whose it was then.

    The name alone would not do: somebody else's key may have been given it since.
    """

    by: KeyName
    kind: str
    base64: str
