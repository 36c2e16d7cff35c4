"""Config vars that BUILD_ENV lists become arguments or secrets of a Dockerfile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pushdeploy.build.languages.dockerfile.reading import declared_arguments
from pushdeploy.domain.container import BuildTool
from pushdeploy.domain.errors import BuildFailed

_OPENS_REPOSITORIES = frozenset({"GIT_AUTH_TOKEN", "GIT_AUTH_HEADER"})


@dataclass(frozen=True, slots=True)
class Listed:
    """``arguments`` stay in the image's history, ``secrets`` nowhere; ``notices`` say which."""

    arguments: Mapping[str, str] = field(repr=False)
    secrets: Mapping[str, str] = field(repr=False)
    notices: Sequence[str]


def listed_for(text: str, listed: Mapping[str, str], tool: BuildTool) -> Listed:
    """An ``ARG`` of the Dockerfile asks for an argument; everything is a secret to be mounted.

    Nothing is an argument that the file has not asked for: its value would be in the history of
    an image without anybody's wish. ``BuildFailed`` for names that BuildKit itself heeds: what it
    fetches with them, it would give to whoever asks for the same address.
    """
    for name in sorted(_OPENS_REPOSITORIES & set(listed)):
        raise BuildFailed(
            f"{name} cannot be a secret of a Dockerfile build",
            "give it another name in BUILD_ENV, and clone in a RUN that mounts it",
        )
    declared = declared_arguments(text)
    arguments = {name: value for name, value in listed.items() if name in declared}
    secrets = dict(listed) if tool.buildkit else {}
    notices = [_notice(name, text, name in declared, tool) for name in sorted(listed)]
    return Listed(arguments, secrets, [notice for notice in notices if notice])


def _notice(name: str, text: str, is_declared: bool, tool: BuildTool) -> str:
    if is_declared:
        return (
            f"{name} is an ARG of the Dockerfile: its value stays in the image's history; a secret"
            f" is read in a step:  RUN --mount=type=secret,id={name}"
        )
    if not tool.buildkit:
        return (
            f"{name} of BUILD_ENV reaches no step: the classic builder has no secrets, and the"
            " Dockerfile has no ARG of the name"
        )
    if name not in text:
        return (
            f"no line of the Dockerfile uses {name} of BUILD_ENV:"
            f"  RUN --mount=type=secret,id={name}"
        )
    return ""
