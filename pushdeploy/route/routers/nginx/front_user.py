"""Workers of nginx run as a system user of their own: they read the keys of certificates, and no
other program of the machine may."""

import grp
import logging
import os
import pwd
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass

from pushdeploy.domain.errors import BackendDown

FRONT_USER = "pushdeploy-front"

_log = logging.getLogger(__name__)
_SHARED = ("www-data", "nobody")
"""Other programs of the machine run as these too."""

_PATH = "/usr/sbin:/sbin:/usr/bin:/bin"
_SECONDS = 30


@dataclass(frozen=True, slots=True)
class FrontUser:
    """``own``: no other program runs as this user."""

    name: str
    group: str
    uid: int
    gid: int
    own: bool = True


def front_user() -> FrontUser | None:
    """Find the workers' user, or make it; None where we are not root, and workers run as we do.

    Where no user can be made, one that the machine has takes its place; it is not our ``own``.
    """
    if os.geteuid() != 0:
        return None
    found = _find(FRONT_USER) or (_make() and _find(FRONT_USER))
    if found:
        return found
    for name in _SHARED:
        if shared := _find(name):
            return shared
    raise BackendDown("there is no user for nginx's workers", f"useradd --system {FRONT_USER}")


def _find(name: str) -> FrontUser | None:
    with suppress(KeyError):
        entry = pwd.getpwnam(name)
        group = grp.getgrgid(entry.pw_gid).gr_name
        return FrontUser(name, group, entry.pw_uid, entry.pw_gid, own=name == FRONT_USER)
    return None


def _make() -> bool:
    """With a group of its own, no home and no shell. Another server may be quicker."""
    program = shutil.which("useradd", path=_PATH)
    if program is None:
        return False
    words = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
    shell = ["--shell", "/usr/sbin/nologin"]
    answer = subprocess.run(
        [program, *words, *shell, FRONT_USER],
        env={"PATH": _PATH},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    if answer.returncode:
        _log.warning("useradd %s: %s", FRONT_USER, answer.stderr.strip())
    return True
