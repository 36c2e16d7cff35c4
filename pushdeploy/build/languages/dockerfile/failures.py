"""The last lines of a builder say why the build of a Dockerfile failed. Pure.

BuildKit words it in one way since Docker 23 and in another before, the classic builder in a third.
"""

import re
from collections.abc import Iterator, Sequence

from pushdeploy.build.plan import Failure

_MEND = "mend the Dockerfile, commit and push again"
_AGAIN = "once the registry can be reached from the server, push again"
_MOST_CHARACTERS = 300

_WRAPPED = re.compile(
    r"^(?:ERROR: |error: )?(?:failed to solve(?: with frontend [\w.]+)?: )?"
    r"(?:failed to create LLB definition: )?"
)
_PARSE = re.compile(
    r"[Dd]ockerfile parse error (?:on )?(?P<line>line \d+): (?P<why>.+)"
    r"|^(?P<classic>unknown instruction: .+)"
)
_RAN = re.compile(
    r"executor failed running \[(?P<old>.+)\]: exit code: (?P<old_code>\d+)"
    r'|process "(?P<new>.+)" did not complete successfully: exit code: (?P<new_code>\d+)'
    r"|The command '(?P<classic>.+)' returned a non-zero code: (?P<classic_code>\d+)"
)
_SHELL = "/bin/sh -c "
_MISSING = re.compile(
    r'failed to compute cache key:.*"(?P<kit>[^"]+)"(?: not found)?: not found'
    r"|(?:COPY|ADD) failed: .*stat (?P<classic>\S+): (?:file does not exist|no such file)"
)
_NO_IMAGE = re.compile(
    r"pull access denied for (?P<denied>[^\s,]+)"
    r"|manifest for (?P<manifest>\S+) not found"
    r"|(?P<kit>\S+): (?:failed to resolve source metadata for \S+: )?\S+: not found$"
    r"|^(?P<plain>[\w./-]+:[\w.-]+): not found$"
)
_REGISTRY = re.compile(
    r"(?:failed to do request|Get|Head).*?https?://(?P<registry>[^/\"]+)/v2/(?P<path>[^\" ]*)"
    r".*?(?P<why>[^:]+)$"
)
_SAID = re.compile(r"^#\d+ [\d.]+ (?P<text>.*\w.*)$")


def failure_in(said: Sequence[str]) -> Failure | None:
    """Read the end of a builder's output; None where it says nothing that is known."""
    lines = [text.strip() for text in said if text.strip()]
    for text in reversed(lines):
        found = next(_readings(_WRAPPED.sub("", text), lines), None)
        if found is not None:
            what = found.message
            short = what if len(what) <= _MOST_CHARACTERS else f"{what[: _MOST_CHARACTERS - 1]}…"
            return Failure(short, found.hint)
    return None


def _readings(text: str, lines: Sequence[str]) -> Iterator[Failure]:
    if found := _PARSE.search(text):
        why = found["why"] or found["classic"]
        yield Failure(f"{found['line']} of the Dockerfile: {why}" if found["line"] else why, _MEND)
    if found := _RAN.search(text):
        yield _of_step(found, lines)
    if found := _MISSING.search(text):
        path = (found["kit"] or found["classic"]).lstrip("/")
        yield Failure(
            f"there is no {path} to COPY",
            f"git add {path}, look into .dockerignore, commit and push again",
        )
    if found := _REGISTRY.search(text):
        image = found["path"].replace("/manifests/", ":").removeprefix("library/")
        said = f"{image or 'an image'} cannot be fetched from {found['registry']}"
        yield Failure(f"{said}: {found['why'].strip()}", _AGAIN)
    if found := _NO_IMAGE.search(text):
        image = next(name for name in found.groups() if name)
        yield Failure(f"there is no image {image}, or it is not for everybody", _MEND)


def _of_step(found: re.Match[str], lines: Sequence[str]) -> Failure:
    step = found["old"] or found["new"] or found["classic"]
    code = found["old_code"] or found["new_code"] or found["classic_code"]
    ended = f"RUN {step.removeprefix(_SHELL)} ended with exit code {code}"
    output = [each["text"] for each in map(_SAID.match, lines) if each]
    return Failure(f"{ended}: {output[-1]}" if output else ended, _MEND)
