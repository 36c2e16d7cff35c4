"""An app may bring an image along, in place of layers on a stack of ours."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pushdeploy.build.containers import BuildSettings
from pushdeploy.build.execution import Underway
from pushdeploy.domain.names import WEB, ImageDigest, ProcessType
from pushdeploy.domain.ports.engine import Engine


@dataclass(frozen=True, slots=True)
class WantedImage:
    """``config`` are all config vars of the app; ``scope`` and ``cached_from`` are what no other
    app's builds reuse."""

    tag: str
    labels: Mapping[str, str]
    config: Mapping[str, str]
    scope: str
    cached_from: Sequence[ImageDigest]


MakeImage = Callable[[WantedImage, Engine, BuildSettings, Underway], ImageDigest]
"""Makes the image with what the engine has for it; ``BuildFailed`` when it cannot be made."""


@dataclass(frozen=True, slots=True)
class OwnImagePlan:
    """An image that ``make`` makes of what the app brings along; ``title`` is shown meanwhile."""

    title: str
    make: MakeImage
    default_processes: Mapping[ProcessType, str] = field(default_factory=lambda: {WEB: ""})
    example: str = "web: ./server --port $PORT"
    notices: Sequence[str] = ()
