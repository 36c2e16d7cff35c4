"""Whether disks have the sizes that they were given."""

from pushdeploy.disks.quota import Quota
from pushdeploy.doctor.check import Check, Installation, tried
from pushdeploy.domain.errors import PushdeployError


def _sized(installation: Installation) -> str:
    if said := Quota(installation.home.disks).check():
        raise PushdeployError("; ".join(said), "ssh deploy disks:list APP")
    return "sizes hold"


CHECK = Check(70, lambda installation: [tried("disks", lambda: _sized(installation))])
