"""A Dockerfile may not use every image that it names. Pure: what the engine says is given."""

import re

from pushdeploy.build.containers import ROLE_LABEL
from pushdeploy.build.languages.dockerfile.images import HEREDOC, Named
from pushdeploy.domain.container import ImageInfo
from pushdeploy.domain.errors import BuildFailed

_REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*([:/@]+[A-Za-z0-9][A-Za-z0-9._-]*)*")
_FRONTEND = re.compile(
    r"(docker\.io/)?docker/dockerfile(-upstream)?(:[\w.-]+)?(@sha256:[0-9a-f]+)?"
)
_OUR_TAG = re.compile(r"pushdeploy-[^/]+/(slug|dependencies):")
_HEX = re.compile(r"(sha256:)?[0-9a-f]+")


def refuse_unreadable(named: Named) -> str:
    """The name to ask the engine for; ``BuildFailed`` where there is none that can be relied on."""
    if named.role == "syntax" and not _FRONTEND.fullmatch(named.written):
        raise BuildFailed(
            f"# syntax={named.written} in the Dockerfile would have it read by another program",
            "take the line out, or ask for docker/dockerfile:1, commit and push",
        )
    if named.role == HEREDOC:
        raise BuildFailed(
            f"line {named.line} of the Dockerfile: where its heredoc (<<) ends cannot be told"
            " before the build",
            "write the end's name plainly or in one pair of quotes, close all quotes and braces,"
            " and move forms such as ${name%pattern} into the heredoc",
        )
    if named.name is None:
        raise BuildFailed(
            f"line {named.line} of the Dockerfile: {named.role} {named.written} cannot be told"
            " before the build",
            "write the name of the image without variables, or give it a stage of its own:"
            "  FROM image AS name",
        )
    if not _REFERENCE.fullmatch(named.name):
        raise BuildFailed(
            f"line {named.line} of the Dockerfile: {named.role} {named.written or '(nothing)'} is"
            " no name of an image",
            "write it as repository:tag, commit and push",
        )
    return named.name


def refuse_image(named: Named, image: ImageInfo) -> None:
    """Raise ``BuildFailed`` for an image that builds here have made, and for one that is meant
    by its id.

    A slug holds the source of an app, and so does what a build leaves on the way to it, which only
    an id can mean. Stacks hold nothing of anybody.
    """
    if _is_ours(image):
        raise BuildFailed(
            f"line {named.line} of the Dockerfile: {named.role} {named.written} is the slug of an"
            " app, which no build may read",
            "use an image from a registry, or build what you need from its source",
        )
    bare = (named.name or "").removeprefix("sha256:")
    if _HEX.fullmatch(named.name or "") and image.id.removeprefix("sha256:").startswith(bare):
        raise BuildFailed(
            f"line {named.line} of the Dockerfile: {named.role} {named.written} names an image by"
            " its id",
            "use its name, as repository:tag",
        )


def _is_ours(image: ImageInfo) -> bool:
    role = image.labels.get(ROLE_LABEL, "")
    labelled = any(name.startswith("pushdeploy.") for name in image.labels) and role != "stack"
    return labelled or any(_OUR_TAG.match(tag) for tag in image.tags)
