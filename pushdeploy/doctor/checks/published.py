"""Whether the files of static sites are as they were taken out of their slugs."""

from pushdeploy.doctor.check import Check, Installation, tried
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.publish.trees import Trees

_SHOWN = 3


def _whole(installation: Installation) -> str:
    trees = Trees(installation.home.nginx)
    digests = trees.digests()
    if wrong := [said for digest in digests if (said := trees.damage(digest))]:
        raise PushdeployError(
            "; ".join(wrong[:_SHOWN]),
            "systemctl restart pushdeploy, which takes them out of their slugs again",
        )
    return f"{len(digests)} published, all whole" if digests else "none is published"


CHECK = Check(75, lambda installation: [tried("static files", lambda: _whole(installation))])
