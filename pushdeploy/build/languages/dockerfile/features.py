"""A Dockerfile's features that not every builder knows are told before a builder fails."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pushdeploy.build.languages.dockerfile.failures import failure_in
from pushdeploy.build.languages.dockerfile.reading import (
    DIALECTS,
    Dockerfile,
    Instruction,
    read,
    triggered,
)
from pushdeploy.build.plan import Failure
from pushdeploy.domain.container import BuildTool
from pushdeploy.domain.errors import BuildFailed

_HEREDOC = "a heredoc (<<)"
_SINCE: dict[tuple[str, str], tuple[int, int]] = {
    ("RUN", "--mount"): (18, 9),
    ("COPY", "--chmod"): (20, 10),
    ("ADD", "--chmod"): (20, 10),
    ("COPY", "--link"): (23, 0),
    ("ADD", "--link"): (23, 0),
    ("RUN", "--network"): (23, 0),
    ("RUN", "--security"): (23, 0),
    ("ADD", "--checksum"): (24, 0),
    ("ADD", "--keep-git-dir"): (24, 0),
    ("RUN", _HEREDOC): (23, 0),
    ("COPY", _HEREDOC): (23, 0),
    ("ADD", _HEREDOC): (23, 0),
}
"""The engine whose BuildKit was the first to know it: https://docs.docker.com/build/buildkit/."""

_OTHERWISE = {
    "--mount": "do without the mount",
    "--chmod": "change the mode in a RUN",
    _HEREDOC: "join the commands of a RUN with  && \\  at the ends of the lines, or COPY a file",
}


@dataclass(frozen=True, slots=True)
class Use:
    """A line uses a feature."""

    line: int
    keyword: str
    feature: str


def refuse_unknown(text: str, tool: BuildTool) -> None:
    """Raise ``BuildFailed`` for the first use of something that the builder here does not know.

    BuildKit learns everything from a frontend that the file asks for; the classic builder takes
    ``# syntax=`` for a comment.
    """
    file = read(text, DIALECTS[0])
    if tool.buildkit and file.syntax:
        return
    for use in uses(file):
        since = _SINCE[use.keyword, use.feature]
        if not tool.buildkit or tool.version < since:
            raise _unknown(use, since, tool)


def uses(file: Dockerfile) -> Iterator[Use]:
    """All that depends on the builder, in the order of the lines."""
    for instruction in map(triggered, file.instructions):
        for feature in _features(instruction):
            if (instruction.keyword, feature) in _SINCE:
                yield Use(instruction.line, instruction.keyword, feature)


@contextmanager
def clearer_failures(text: str) -> Iterator[None]:
    """Say in one line what a build failed of where the builder said it in many words."""
    try:
        yield
    except BuildFailed as error:
        found = _no_frontend(text, error) or failure_in(error.log_tail)
        if not error.exit_code or found is None:
            raise
        raise BuildFailed(
            found.message,
            found.hint,
            exit_code=error.exit_code,
            log_tail=error.log_tail,
        ) from error


def _no_frontend(text: str, error: BuildFailed) -> Failure | None:
    missing = frontend_is_missing(text, error.log_tail)
    if not missing:
        return None
    return Failure(
        f"# syntax={missing} in the Dockerfile has the builder fetch that from a registry,"
        " which it could not",
        "take the line out: BuildKit reads Dockerfiles without it",
    )


def frontend_is_missing(text: str, said: Sequence[str]) -> str:
    """The frontend that the file asks for where a build ended for want of it; else empty."""
    syntax = read(text, DIALECTS[0]).syntax
    name = syntax.partition(":")[0].removeprefix("docker.io/")
    about = [line for line in said if name and name in line]
    failed = ("failed to", "no such host", "not found", "timeout", "denied", "refused")
    return syntax if any(word in line for line in about for word in failed) else ""


def _features(instruction: Instruction) -> Iterator[str]:
    for flag in instruction.flags:
        yield flag.partition("=")[0].lower()
    if instruction.heredocs:
        yield _HEREDOC


def _unknown(use: Use, since: tuple[int, int], tool: BuildTool) -> BuildFailed:
    engine = ".".join(map(str, tool.version))
    here = "which is not on this server" if not tool.buildkit else f"and here is Docker {engine}"
    which = f"BuildKit of Docker {since[0]}" if tool.buildkit else "BuildKit"
    otherwise = _OTHERWISE.get(use.feature, "write the line without it")
    remedy = (
        f"install Docker {since[0]} or newer on the server"
        if tool.version < since
        else "apt-get install docker-buildx on the server"
    )
    return BuildFailed(
        f"line {use.line} of the Dockerfile: {use.keyword} with {use.feature} needs {which},"
        f" {here}",
        f"{otherwise}; or {remedy}",
    )
