"""The tokens with which a certificate authority is shown that a host is ours: one file each.

nginx looks for the file at each request for such a token (templates/nginx/front/challenge.conf),
so that a new one needs no reload.
"""

import re
import time
from contextlib import suppress

from pushdeploy.domain.errors import UserError
from pushdeploy.route.routers.nginx.kept_files import remove, write_whole
from pushdeploy.route.routers.nginx.prefix import Prefix

_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,200}")
"""base64url (RFC 8555, 8.3): a token is the name of a file here, and of none elsewhere."""

_OLD_SECONDS = 86_400


def show(prefix: Prefix, token: str, answer: str | None) -> None:
    """Answer with the text on every host, or not any more; ``UserError`` for what is no token."""
    path = prefix.challenges / _checked(token)
    if answer is None:
        remove(path)
    else:
        write_whole(path, answer.encode())


def sweep(prefix: Prefix) -> None:
    """Remove those that a killed server has left; one that was just shown may be asked for yet."""
    for path in prefix.challenges.iterdir():
        with suppress(FileNotFoundError):
            if path.stat().st_mtime < time.time() - _OLD_SECONDS:
                remove(path)


def _checked(token: str) -> str:
    if not _TOKEN.fullmatch(token):
        raise UserError(f"{token[:80]!r} is no token of a certificate authority")
    return token
