"""The user of an app's containers gets a name, for which programs ask (``os.path.expanduser``).

The slug, which all stages share, knows none.
"""

import logging
import secrets
from pathlib import Path

USER = "app"

_log = logging.getLogger(__name__)

_USERS = """\
root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
{name}:x:{uid}:{gid}:{name}:{home}:/bin/sh
"""

_GROUPS = """\
root:x:0:
daemon:x:1:
tty:x:5:
www-data:x:33:
users:x:100:
nogroup:x:65534:
{name}:x:{gid}:
{name}-disks:x:{disks}:{name}
"""


class Accounts:
    """Writes passwd(5) and group(5) below ``root``, for each app's uid once. Thread-safe."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def mounts(self, user: str | None, group: int, home: str) -> list[tuple[str, str]]:
        """Return the mounts of a container of ``user`` (``uid:gid``); none for the image's own
        user.

        Nor where the files cannot be written: a container without a name is better than none.
        """
        if user is None:
            return []
        uid, _, gid = user.partition(":")
        facts = {"name": USER, "uid": uid, "gid": gid, "home": home, "disks": group}
        directory = self._root / uid
        try:
            directory.mkdir(parents=True, exist_ok=True)
            _write(directory / "passwd", _USERS.format(**facts))
            _write(directory / "group", _GROUPS.format(**facts))
        except OSError as error:
            _log.warning("uid=%s gets no name in its containers: %s", uid, error)
            return []
        return [(str(directory / name), f"/etc/{name}") for name in ("passwd", "group")]


def _write(path: Path, text: str) -> None:
    """Whole or not at all, and only where it changes: running containers have the old one open."""
    if path.exists() and path.read_text() == text:
        return
    new = path.with_suffix(f".{secrets.token_hex(8)}")
    new.write_text(text)
    new.chmod(0o644)
    new.replace(path)
