"""A Dockerfile is checked before it is built: it must not reach what belongs to another app."""

import platform
import tarfile
from collections.abc import Iterable, Mapping

from pushdeploy.build.languages.dockerfile.image_rules import refuse_image, refuse_unreadable
from pushdeploy.build.languages.dockerfile.images import Named, named_by, named_images
from pushdeploy.build.languages.dockerfile.reading import instruction_of
from pushdeploy.build.tree import Tree
from pushdeploy.domain.container import ImageInfo
from pushdeploy.domain.errors import BuildFailed
from pushdeploy.domain.ports.engine import Engine

_MOST_BYTES = 1024 * 1024
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}


def text_as_sent(tree: Tree, path: str) -> str:
    """The file as it stands in the build's context, where links lead and after git's filters."""
    found = tree.located(path)
    with tree.reader.archive([found]) as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
        member = next((each for each in tar if each.name == found), None)
        file = tar.extractfile(member) if member is not None and member.isreg() else None
        if file is None:
            raise BuildFailed(f"{path} is no file", "let it be a file, commit and push")
        return _decoded(path, file.read(_MOST_BYTES + 1))


def check_images(text: str, arguments: Mapping[str, str], engine: Engine) -> None:
    """Raise ``BuildFailed`` where a Dockerfile names an image that a build here has made.

    What the check could be tricked about cannot be used either: the names of such images have a
    word in them that only the app knows whose they are.
    """
    for named in named_images(text, arguments, _platform()):
        image = _permitted(named, engine)
        if image is not None and named.is_base:
            _check_triggers(named, image, engine)


def _permitted(named: Named, engine: Engine) -> ImageInfo | None:
    """The image where it is on this machine; what must be fetched cannot be anybody's slug."""
    image = engine.image(refuse_unreadable(named))
    if image is not None:
        refuse_image(named, image)
    return image


def _check_triggers(base: Named, image: ImageInfo, engine: Engine) -> None:
    instructions = [instruction_of(base.line, text) for text in image.triggers]
    for named in named_by(instructions, stages=()):
        _permitted(named, engine)


def _decoded(path: str, data: bytes) -> str:
    if len(data) > _MOST_BYTES:
        raise BuildFailed(f"{path} is larger than {_MOST_BYTES // 1024} KB")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise BuildFailed(
            f"{path} is not UTF-8 text: byte {error.start} is wrong", "save it as UTF-8"
        ) from error
    if "\0" in text:
        raise BuildFailed(f"{path} has a zero byte in it", "save it as text")
    return text


def _platform() -> Mapping[str, str]:
    """The variables that builders set by themselves; builds are for the machine they run on."""
    architecture = _ARCHITECTURES.get(platform.machine(), platform.machine())
    both: Iterable[tuple[str, str]] = (
        ("OS", "linux"),
        ("ARCH", architecture),
        ("VARIANT", ""),
        ("PLATFORM", f"linux/{architecture}"),
    )
    return {f"{side}{name}": value for side in ("BUILD", "TARGET") for name, value in both}
