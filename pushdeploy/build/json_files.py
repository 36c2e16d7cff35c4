"""JSON that people write, with comments: every fault has the line, and says what to do."""

import re
from typing import Any

import json5

from pushdeploy.domain.errors import BuildFailed

_MOST_CHARACTERS = 256 * 1024
"""A larger one is a mistake; JSON with comments is read slowly, and others wait meanwhile."""

_CORRECT = "correct the line, commit and push"


def read_object(file: str, text: str, example: str) -> dict[str, Any]:
    """Read the one object that ``file`` holds; ``example`` shows what such a one is like."""
    if len(text) > _MOST_CHARACTERS:
        raise BuildFailed(
            f"{file} is larger than {_MOST_CHARACTERS // 1024} KB",
            "keep in it what describes the app",
        )
    try:
        data = json5.loads(text)
    except ValueError as error:
        where = re.sub(r"^<string>:(?=\d)", "line ", str(error))
        raise BuildFailed(f"{file} is not JSON: {where}", _CORRECT) from error
    except RecursionError as error:
        raise BuildFailed(f"{file} is nested too deeply to be read", _CORRECT) from error
    if not isinstance(data, dict):
        raise BuildFailed(
            f"{file} is not an object: it must begin with a brace", f"write it like  {example}"
        )
    return data
