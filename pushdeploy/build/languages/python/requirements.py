"""A requirements.txt may include other files, and may install from the source itself."""

import posixpath
import re
from collections.abc import Mapping, Sequence

from pushdeploy.build.tree import Tree
from pushdeploy.domain.errors import BuildFailed

_INCLUDE = re.compile(r"(?:-r|-c|--requirement|--constraint)(?:\s+|\s*=\s*)(\S+)")
_LOCAL = re.compile(
    r"(?:-e|--editable)(?:\s+|=)(?!git\+|https?:|hg\+)"  # a project of the tree, editable
    r"|\.{1,2}(?:$|/|\[|\s)"  # . or ./lib
    r"|(?!\S*://)[^\s#@;=<>\-][^\s#@;=<>]*/"  # libs/ours
    r"|(?!\S*://)[^\s#@;=<>]+\.(?:whl|zip|tar\.gz)(?:$|\s|;)"  # vendor/lib.whl
    r"|[^#]*@\s*file:"  # name @ file:lib
    r"|(?:-f|--find-links)(?:\s+|=)(?!https?:)"  # a directory of wheels
)

_EDITABLE_REPOSITORY = re.compile(
    r"\s*(?:-e|--editable)(?:\s+|\s*=\s*)[\"']?(?P<url>git\+[^\s#\"']+)"
    r"(?:#(?P<fragment>[^\s\"']+))?[\"']?(?P<rest>[\s\S]*)"
)
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
"""As pip expands them: capitals only."""


def requirement_files(tree: Tree, start: str) -> Mapping[str, bytes]:
    """``start`` and every file that it includes, path → bytes as uv reads them."""
    files: dict[str, bytes] = {}
    waiting = [start]
    while waiting:
        path = waiting.pop()
        if path in files:
            continue
        text = tree.text(path)
        files[path] = "".join(map(_readable, text.splitlines(keepends=True))).encode()
        waiting += _includes(path, text)
    return files


def hidden_variables(files: Mapping[str, bytes], environment: Mapping[str, str]) -> list[str]:
    """Names that requirements want from the environment and that it does not have."""
    wanted = {
        name
        for data in files.values()
        for line in _lines(data.decode(errors="replace"))
        for name in _VARIABLE.findall(line.partition(" #")[0])
    }
    return sorted(wanted - set(environment))


def installs_from_source(files: Mapping[str, bytes]) -> bool:
    """Tell whether a line needs more of the tree than the requirement files."""
    return any(
        _LOCAL.match(line)
        for data in files.values()
        for line in _lines(data.decode("utf-8-sig", errors="replace"))
    )


def _readable(line: str) -> str:
    """pip installs a repository editable, uv as any other package: where it lies is all the
    same here."""
    match = _EDITABLE_REPOSITORY.match(line)
    if match is None:
        return line
    fragment = dict(part.partition("=")[::2] for part in (match["fragment"] or "").split("&"))
    inner = f"#subdirectory={fragment['subdirectory']}" if fragment.get("subdirectory") else ""
    name = f"{fragment['egg']} @ " if fragment.get("egg") else ""
    return f"{name}{match['url']}{inner}{match['rest']}"


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
