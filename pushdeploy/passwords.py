"""The library bcrypt makes of a password what nginx compares with what a visitor types."""

import bcrypt

from pushdeploy.domain.front.password import PasswordHash

_ROUNDS = 5
"""2 to the fifth, as htpasswd -B has it. nginx makes the hash anew for each request, on the one
thread that serves all apps: 3 ms. With 12, the usual cost where a hash is made at a login alone,
it is 390 ms."""


def hashed(password: bytes) -> PasswordHash:
    """Return a hash of the password, another one each time."""
    return PasswordHash.parse(bcrypt.hashpw(password, bcrypt.gensalt(_ROUNDS)).decode())
