"""requirements.txt: the files that it includes, and whether it installs from the source itself."""

import posixpath
import re
from collections.abc import Mapping, Sequence

from pushdeploy.build.tree import Tree
from pushdeploy.domain.errors import BuildFailed

_INCLUDE = re.compile(r"(?:-r|-c|--requirement|--constraint)(?:\s+|\s*=\s*)(\S+)")
_LOCAL = re.compile(
    r"(?:-e|--editable)(?:\s+|=)(?!git\+|https?:|hg\+)"  # a project of the tree, editable
    r"|\.{1,2}(?:$|/|\[|\s)"  # . or ./lib
    r"|(?!\S*://)[^\s#@;=<>]+\.(?:whl|zip|tar\.gz)(?:$|\s|;)"  # vendor/lib.whl
    r"|[^#]*@\s*file:"  # name @ file:lib
    r"|(?:-f|--find-links)(?:\s+|=)(?!https?:)"  # a directory of wheels
)


def requirement_files(tree: Tree, start: str) -> Mapping[str, bytes]:
    """``start`` and every file that it includes, path → bytes."""
    files: dict[str, bytes] = {}
    waiting = [start]
    while waiting:
        path = waiting.pop()
        if path in files:
            continue
        files[path] = tree.read(path)
        waiting += _includes(path, tree.text(path))
    return files


def installs_from_source(files: Mapping[str, bytes]) -> bool:
    """Whether a line needs more of the tree than the requirement files."""
    return any(
        _LOCAL.match(line)
        for data in files.values()
        for line in _lines(data.decode("utf-8-sig", errors="replace"))
    )


def _includes(path: str, text: str) -> list[str]:
    found = []
    for line in _lines(text):
        match = _INCLUDE.match(line)
        if not match or "://" in match.group(1):
            continue
        included = posixpath.normpath(posixpath.join(posixpath.dirname(path), match.group(1)))
        if included.startswith(("/", "..")):
            raise BuildFailed(
                f"{path} includes {match.group(1)}, which is outside of the source",
                "move it into the repository",
            )
        found.append(included)
    return found


def _lines(text: str) -> Sequence[str]:
    joined = text.replace("\\\r\n", " ").replace("\\\n", " ")
    return [line for raw in joined.splitlines() if (line := raw.strip()) and line[0] != "#"]
