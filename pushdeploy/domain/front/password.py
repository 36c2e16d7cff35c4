"""Passwords: nginx asks visitors for a name and a password, for all of an app or below a path."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import Name

MOST_PASSWORD_BYTES = 72
"""bcrypt looks at no more."""

MOST_PEOPLE = 1000
MOST_PATHS = 50
_HASH = re.compile(r"\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{53}")


class UserName(Name):
    """A user name is typed by a visitor."""

    __slots__ = ()
    _kind = "a user name"
    _pattern = re.compile(r"[A-Za-z0-9]([A-Za-z0-9@._+-]{0,62}[A-Za-z0-9])?")
    _rule = "use up to 64 letters, digits and '@._+-'"


class PasswordHash(str):
    """A hash, which bcrypt has made of a password, is shown to nobody."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> "PasswordHash":
        if not _HASH.fullmatch(text):
            raise UserError("that is not what bcrypt makes of a password")
        return cls(text)

    def __repr__(self) -> str:
        return "PasswordHash()"


People = Mapping[UserName, PasswordHash]


@dataclass(frozen=True, slots=True)
class Passwords:
    """``paths`` has who is let in, by the path that it is for: ``/`` is the whole app.

    The longest path that a request begins with decides. One without people is closed to everybody.
    """

    paths: Mapping[str, People] = field(default_factory=dict)


def with_person(passwords: Passwords, path: str, name: UserName, hashed: PasswordHash) -> Passwords:
    """Return the passwords with this one of ``name`` for ``path``. ``UserError`` for too many."""
    people = {**passwords.paths.get(path, {}), name: hashed}
    paths = {**passwords.paths, path: people}
    if len(people) > MOST_PEOPLE:
        raise UserError(
            f"{MOST_PEOPLE} people are the most for one path", "let the app ask for passwords"
        )
    if len(paths) > MOST_PATHS:
        raise UserError(
            f"{MOST_PATHS} paths with passwords are the most", "let the app ask for passwords"
        )
    return Passwords(dict(sorted(paths.items())))


def without_person(passwords: Passwords, path: str, name: UserName) -> Passwords:
    """Return the passwords without that of ``name`` for ``path``, which is open after the last."""
    people = {each: held for each, held in passwords.paths.get(path, {}).items() if each != name}
    others = {each: held for each, held in passwords.paths.items() if each != path}
    return Passwords(dict(sorted({**others, path: people}.items())) if people else others)


def parse_password(data: bytes) -> bytes:
    """Take a password as it was typed or piped in, without the end of its line."""
    password = data.removesuffix(b"\n").removesuffix(b"\r")
    if not password:
        raise UserError("the password is empty", "give it on standard input")
    if len(password) > MOST_PASSWORD_BYTES:
        raise UserError(
            f"the password is longer than {MOST_PASSWORD_BYTES} bytes", "choose a shorter one"
        )
    if any(byte < 32 or byte == 127 for byte in password):
        raise UserError("the password has a control character", "give one line")
    try:
        password.decode()
    except UnicodeDecodeError as error:
        raise UserError("the password is not UTF-8", "choose other letters") from error
    return password
