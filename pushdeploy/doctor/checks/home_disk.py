"""Whether the file system of the home has room."""

from pushdeploy.doctor.check import Check, Installation
from pushdeploy.doctor.machine import check_free
from pushdeploy.domain.finding import Finding


def _free(installation: Installation) -> Finding:
    root = installation.home.root
    return check_free("disk of home", root, f"remove what is not needed under {root}")


CHECK = Check(50, lambda installation: [_free(installation)])
