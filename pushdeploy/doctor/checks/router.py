"""What the router that is chosen says of itself."""

from collections.abc import Iterator

from pushdeploy.doctor.check import Check, Installation
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.finding import Finding
from pushdeploy.route.choice import RouterGround, choose_router


def _look(installation: Installation) -> Iterator[Finding]:
    try:
        router = choose_router(RouterGround(installation.home, installation.settings))
        yield from router.examine(serving=installation.serving)
    except PushdeployError as error:
        yield Finding("router", False, error.message, error.hint)


CHECK = Check(100, _look)
