"""Whether all repositories are whole."""

from pushdeploy.doctor.check import Check, Installation, tried
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.receive.repositories import Repositories

_SHOWN = 5


def _whole(installation: Installation) -> str:
    if damaged := Repositories(installation.home.repositories).damages():
        raise PushdeployError(
            f"damaged: {', '.join(damaged[:_SHOWN])}",
            "systemctl restart pushdeploy, which mends what can be mended",
        )
    return "whole"


CHECK = Check(60, lambda installation: [tried("repositories", lambda: _whole(installation))])
