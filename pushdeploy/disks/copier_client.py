"""Starts a copier for each job, passes on its lines, and raises its errors."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pushdeploy
from pushdeploy.disks.copy_job import CopyJob
from pushdeploy.domain.errors import BackendDown, NoRoom, PushdeployError, UserError

_log = logging.getLogger(__name__)

_ERRORS: Mapping[str, type[PushdeployError]] = {
    kind.__name__: kind for kind in (BackendDown, NoRoom, UserError)
}

_PYTHON = (sys.executable, "-S", "-P", "-X", "utf8", "-m")
"""Without the site's packages, which no child needs: that halves its start."""


def ignore_line(_text: str) -> None:
    """Drop a line that a child writes and nobody wants to read."""


def carry_out(job: CopyJob, line: Callable[[str], None] = ignore_line) -> Mapping[str, Any]:
    """Return the copier's result; ``line`` gets the lines that it writes meanwhile.

    The copier is dead when this returns or raises.
    """
    with start(job) as copier:
        try:
            assert copier.stdout
            return result_of(copier.stdout, line)
        finally:
            copier.kill()


def start(job: CopyJob) -> subprocess.Popen[str]:
    """Start a copier that has its job; nothing of our environment goes along."""
    copier = subprocess.Popen(
        command_of("pushdeploy.disks.copier"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd="/",
        env=environment(),
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    assert copier.stdin
    with suppress(BrokenPipeError), copier.stdin as asked:  # its output will tell why it ended
        asked.write(json.dumps(job._replace(server=os.getpid())._asdict()))
    return copier


def command_of(module: str, *words: str) -> Sequence[str]:
    """Return the command that runs a module of ours as a process."""
    return [*_PYTHON, module, *words]


def environment() -> Mapping[str, str]:
    """Return the whole environment that a child gets."""
    return {"PATH": os.defpath, "PYTHONPATH": str(Path(pushdeploy.__file__).parent.parent)}


def result_of(said: Iterable[str], line: Callable[[str], None] = ignore_line) -> Mapping[str, Any]:
    """Return a child's last answer, or raise its error."""
    for text in said:
        answer = _parsed(text)
        if "line" in answer:
            line(_printable(answer["line"]))
        elif "result" in answer:
            found: Mapping[str, Any] = answer["result"]
            return found
        elif "error" in answer:
            kind, message, hint = (_printable(each) for each in answer["error"])
            raise _ERRORS.get(kind, PushdeployError)(message, hint)
    raise BackendDown(
        "the process that copies disks has ended in the middle", "look into the server's log"
    )


def _printable(text: str) -> str:
    """Apps choose the names of their files: none may steer a terminal, or be no text at all."""
    return "".join(each if each.isprintable() else "?" for each in text)


def _parsed(text: str) -> Mapping[str, Any]:
    """What is no answer of its own is the interpreter's, about a defect: for the log."""
    if not text.startswith("{"):
        _log.error("copier: %s", text.rstrip())
        return {}
    answer: Mapping[str, Any] = json.loads(text)
    return answer
