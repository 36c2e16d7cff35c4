"""Messages name this very program: by name where the PATH leads to it, else by its whole path."""

import re
import shutil
import sys
from pathlib import Path
from shlex import quote

_NAME = "pushdeploy"
_ROOTS_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""sudo(8) looks there, whatever the PATH of whoever calls it."""

_TYPED = re.compile(rf"(?P<before>^|[:;]\s+|\bsudo )(?P<name>{_NAME})(?= [a-z])")


def typed(hint: str) -> str:
    """Make a hint name a program which is there, whether or not that is on the PATH."""

    def named(match: re.Match[str]) -> str:
        before = match["before"]
        return f"{before}{own_name(_ROOTS_PATH if before == 'sudo ' else None)}"

    return _TYPED.sub(named, hint)


def own_name(path: str | None = None) -> str:
    """Return ``pushdeploy`` where a shell with ``path`` finds this installation by it."""
    here = Path(sys.executable).parent / _NAME
    found = shutil.which(_NAME, path=path)
    if not here.exists() or (found and Path(found).resolve() == here.resolve()):
        return _NAME
    return quote(str(here))
