"""Whether the home is there, has an id, and shows its secrets to nobody."""

import stat
from collections.abc import Iterator

from pushdeploy.doctor.check import Check, Installation, tried
from pushdeploy.domain.finding import Finding
from pushdeploy.instance import read_instance


def check_home(installation: Installation) -> Finding:
    """Check that the home exists, and that nobody else reads its secrets."""
    home = installation.home
    if not home.root.is_dir():
        return Finding("home", False, f"{home.root} is missing", installation.init)
    for path, mode in ((home.root, 0o700), (home.host_key, 0o600), (home.database, 0o600)):
        if path.exists() and (found := stat.S_IMODE(path.stat().st_mode)) & ~mode:
            detail = f"{path} has mode {found:03o}: others may read it"
            return Finding("home", False, detail, f"chmod {mode:03o} {path}")
    return Finding("home", True, str(home.root))


def _look(installation: Installation) -> Iterator[Finding]:
    yield check_home(installation)
    yield tried("instance", lambda: read_instance(installation.home.root))


CHECK = Check(20, _look)
