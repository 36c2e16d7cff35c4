"""Foreign text becomes one line without control characters on its way to a client's terminal."""

from pushdeploy.domain.errors import PushdeployError, StageFailed
from pushdeploy.domain.plain import plain

LINE_CHARACTERS = 400


def one_line(text: str) -> str:
    """Turn newlines into spaces, and take out characters that could steer a terminal."""
    words = " ".join(plain(text).split())
    return "".join(letter for letter in words if letter.isprintable())[:LINE_CHARACTERS]


def reason(error: PushdeployError) -> str:
    """Return the text in brackets behind ``[remote rejected] main -> main``."""
    if isinstance(error, StageFailed):
        return one_line(f"{error.stage} failed: {error.message}")
    return one_line(error.message)


def said_by_git(stderr: bytes) -> str:
    """Return the first complaint of a git child without git's prefixes, or empty text."""
    lines = [one_line(line) for line in stderr.decode("utf-8", "replace").splitlines()]
    for line in lines:
        if line:
            return line.removeprefix("fatal: ").removeprefix("error: ")
    return ""
