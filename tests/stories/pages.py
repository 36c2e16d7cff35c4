"""Pages of docs/ that are tried as printed: what a reader types and writes, in a reader's order.

A fenced block is tried, an indented one is only shown. Blocks of ``sh`` are typed, and so are the
lines of ``console`` that begin with a dollar; the lines below them are what comes then. Any other
block is a file, which the line above it names: "`Procfile`:", "At the end of `app.py`:".
"""

import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.stories.harness import Server, outer_environment

PAGES = Path(__file__).resolve().parent.parent.parent / "docs"
PAGE_SECONDS = 600
_BLOCK = re.compile(r"(?ms)^(?P<before>[^\n]*)\n+```(?P<kind>\w+)\n(?P<text>.*?)^```$")
_FILE = re.compile(r"(?P<end>[Aa]t the end of )?`(?P<name>[\w./-]+)`:$")
_VARYING = (
    r"\b[0-9a-f]{7,64}\b",  # commits, digests, ids of containers
    r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?\b",
    r"\b\d+\.\d+ ?([kMG]?B|s)\b",
    r"\b\d+(\.\d+){3}:\d+\b",
    r"(?<=example\.com):\d+\b",  # the port of a server for tests
    r" +",
)


@dataclass(frozen=True, slots=True)
class Step:
    """Something to type, or a file to write, and the lines that are printed then."""

    script: str
    printed: Sequence[str] = ()


def steps_of(page: Path) -> Sequence[Step]:
    return [step for block in _BLOCK.finditer(page.read_text()) for step in _steps(block)]


def _steps(block: re.Match[str]) -> Iterator[Step]:
    if block["kind"] == "sh":
        yield Step(block["text"])
    elif block["kind"] == "console":
        for part in re.split(r"(?m)^\$ ", block["text"])[1:]:
            lines = part.splitlines()
            yield Step(lines[0] + "\n", lines[1:])
    else:
        file = _FILE.search(block["before"])
        assert file, f"the line above this block names no file:\n{block['text']}"
        sign = ">>" if file["end"] else ">"
        yield Step(
            f"mkdir -p $(dirname {file['name']})\n"
            f"cat {sign} {file['name']} <<'THE_END'\n{block['text']}THE_END\n"
        )


def try_page(page: str, server: Server, tmp_path: Path) -> None:
    """Do all that it prints, in one shell; what comes must look as it says."""
    steps = steps_of(PAGES / page)
    assert steps, f"{page} has nothing to try"
    said = _typed(steps, server, tmp_path)
    for step, lines in zip(steps, said, strict=False):
        _assert_printed(step, lines)
    assert len(said) == len(steps), f"{steps[len(said) - 1].script} failed:\n" + "\n".join(said[-1])


def _typed(steps: Sequence[Step], server: Server, tmp_path: Path) -> Sequence[list[str]]:
    """What each step printed on both outputs; those after one that failed are missing."""
    mark = "--- the next step ---"
    desk = tmp_path / "desk"
    desk.mkdir()
    # A page shows what fails, too: its own words are what is compared there.
    parts = [f"{step.script.rstrip()}{' || true' if _fails(step) else ''}\n" for step in steps]
    script = tmp_path / "script"  # a file, for ssh reads standard input
    script.write_text(f"echo '{mark}'\n".join(parts))
    result = subprocess.run(
        ["bash", "-e", "-o", "pipefail", str(script)],
        cwd=desk,
        env=_environment(server, tmp_path / "bin"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        timeout=PAGE_SECONDS,
        check=False,
    )
    said = [part.strip("\n").splitlines() for part in result.stdout.split(f"{mark}\n")]
    if result.returncode and len(said) == len(steps):
        raise AssertionError(f"{steps[-1].script} failed:\n" + "\n".join(said[-1]))
    return said


def _fails(step: Step) -> bool:
    return any(re.match(r"(\[[\w-]+\])? *! ", line) for line in step.printed)


def _environment(server: Server, programs: Path) -> dict[str, str]:
    """A reader's own: ``deploy`` is the server to ssh, and names below its domain are to curl."""
    programs.mkdir()
    _program(programs / "ssh", f"-F {server.root / 'ssh_config'} -o ControlPath=none")
    _program(programs / "curl", f"-sS --noproxy '*' --connect-to ::127.0.0.1:{server.http_port}")
    people = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in
              (("NAME", "Ada"), ("EMAIL", "ada@example.com"))}  # fmt: skip
    path = f"{programs}:{os.environ['PATH']}"
    return {**outer_environment(), **people, "PATH": path, "HOME": str(programs.parent)}


def _program(path: Path, flags: str) -> None:
    real = shutil.which(path.name)
    assert real, f"there is no {path.name}"
    path.write_text(f'#!/bin/sh\nexec {real} {flags} "$@"\n')
    path.chmod(0o755)


def _assert_printed(step: Step, said: Sequence[str]) -> None:
    """Every line comes, and no other unless an ellipsis stands for it.

    The order is not looked at, for a program's two outputs come in none.
    """
    came = Counter(_shape(line) for line in said)
    wanted = Counter(_shape(line) for line in step.printed)
    abridged = wanted.pop("…", 0) > 0 or not wanted
    missing, more = wanted - came, came - wanted
    assert not missing, f"$ {step.script}does not print {list(missing)}, but:\n" + "\n".join(said)
    assert abridged or not more, f"$ {step.script}prints {list(more)} as well"


def _shape(line: str) -> str:
    """The line without what differs each time."""
    for pattern in _VARYING:
        line = re.sub(pattern, " ", line)
    return line.removeprefix("remote:").strip()
