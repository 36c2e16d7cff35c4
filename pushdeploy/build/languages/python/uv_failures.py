"""A failed installation by uv is explained in one line, with the text to write or type next."""

import re
from collections.abc import Callable, Sequence

from pushdeploy.build.languages.python.versions import satisfies
from pushdeploy.build.plan import BuildCommand, Failure

_MOST_CHARACTERS = 300
_MINORS = (13, 11, 12, 14, 15, 10, 9, 8)
"""Those of the stacks first, then what uv may fetch."""

_OLDEST_STACK = 11

_OTHER_PYTHON = re.compile(
    r"the current Python version \([\d.]+\) does not satisfy Python(?P<wanted>[^\s]+)"
    r" and (?P<package>[A-Za-z0-9][\w.-]*)"
)
_NO_PACKAGE = re.compile(r"Because (\S+) was not found in the package registry")
_NO_VERSION = re.compile(r"there is no version of (\S+?)(?:,| and)")
_NO_WHEEL = re.compile(r"(\S+) has no wheels with a matching Python (?:version|ABI) tag")
_CONFLICT = re.compile(r"Because (.*), we can conclude that your (?:requirements|project's req)")
_BUILD = re.compile(r"Failed to build `([^`]+)`")
_HEADER = re.compile(r"fatal error: (\S+): No such file or directory")
_TOOL = re.compile(
    r"(pg_config|mysql_config|cmake|cargo|gfortran|swig|\S+-config)\b.*not found|"
    r"No such file or directory: '([^']+)'"
)
_GONE = re.compile(
    r"No module named '?(distutils|pkg_resources|imp)\b|has no attribute 'ImpImporter'"
)
_STALE = re.compile(r"lockfile at `uv\.lock` needs to be updated|uv\.lock.*(?:missing|out of date)")
_HASH = re.compile(r"Hash mismatch for `([^`]+)`")
_RESOLVED = re.compile(r"resolved to Python (\d[\d.]*\d)")
_REQUIRED = re.compile(r"incompatible with the project's Python requirement: `([^`]+)`")
_PARSE = re.compile(r"Couldn't parse requirement in `([^`]+)` at position \d+")
_GIT = re.compile(r"(?:git fetch|git clone|ls-remote).*?((?:https?|ssh|git)://[^\s']+)")
_BY_SSH = re.compile(r"ssh://(?:[^\s@/']+@)?([^\s']+)'")
_REFUSED = re.compile(
    r"could not read Username|Authentication failed|terminal prompts disabled|Permission denied"
    r"|Repository not found|HTTP status client error \(40[13]"
)
_STRANGE_ISSUER = re.compile(r"Failed to fetch: https://([^/\s]+).*UnknownIssuer")
_UNREACHABLE = re.compile(
    r"(?:dns error|Could not resolve host|Failed to connect|Connection refused)"
)


def explained(lines: Sequence[str], python: str, command: BuildCommand) -> Failure | None:
    """The cause that uv's last lines tell; None where they tell none. ``python`` was tried."""
    said = _error(lines)
    if not said:
        return None
    for explain in _EXPLANATIONS:
        cause = explain(said, python)
        if cause is not None:
            return cause
    first, _, rest = said.partition(" cause: ")
    message = f"{first}: {rest}" if rest else first
    return Failure(message[:_MOST_CHARACTERS], command.hint)


def _error(lines: Sequence[str]) -> str:
    """From uv's last ``error:`` to the end, as one line: a step before may have failed in vain."""
    starts = [place for place, line in enumerate(lines) if line.startswith("error: ")]
    if not starts:
        return ""
    return " ".join(" ".join(lines[starts[-1] :]).split()).removeprefix("error: ")


def _pin(specifier: str) -> str:
    """What to type for a Python that meets it, one that a stack has where possible."""
    fitting = [minor for minor in _MINORS if satisfies((3, minor), specifier)]
    return f"echo 3.{fitting[0]} > .python-version" if fitting else "write it into .python-version"


def _or_older(python: str) -> str:
    """Only where a stack has an older one: what has to be fetched may not be had."""
    older = satisfies((3, _OLDEST_STACK), f"<{python}") and f"3.{_OLDEST_STACK}" != python
    return f", or an older Python:  echo 3.{_OLDEST_STACK} > .python-version" if older else ""


def _another_python(said: str, python: str) -> Failure | None:
    if match := _OTHER_PYTHON.search(said):
        wanted, package = match["wanted"].rstrip(","), match["package"]
        return Failure(
            f"{package} needs Python {wanted}, and this app gets {python}",
            f"name one that fits:  {_pin(wanted)}",
            wanted,
        )
    if match := _REQUIRED.search(said):
        return Failure(
            f"the project requires Python {match[1]}, and this app gets"
            f" {resolved[1] if (resolved := _RESOLVED.search(said)) else python}",
            "let .python-version and requires-python agree, commit and push",
        )
    if match := _NO_WHEEL.search(said):
        return Failure(
            f"{match[1]} has nothing for Python {python}",
            f"take a newer version of it{_or_older(python)}",
            f"<{python}",
        )
    return None


def _not_there(said: str, _python: str) -> Failure | None:
    if match := _NO_PACKAGE.search(said):
        return Failure(
            f"no package index has {match[1]}",
            "correct its name; an index of your own is a config var: UV_INDEX=https://…",
        )
    if match := _NO_VERSION.search(said):
        return Failure(f"there is no {match[1]}", "correct the version, commit and push")
    return None


def _stale_lock(said: str, _python: str) -> Failure | None:
    if _STALE.search(said):
        return Failure(
            "uv.lock does not fit pyproject.toml any more", "run  uv lock , commit uv.lock and push"
        )
    return None


def _wrong_bytes(said: str, _python: str) -> Failure | None:
    if match := _HASH.search(said):
        return Failure(
            f"the hash of {match[1]} is not the one that is written down",
            "lock anew and commit; where it should not have changed, look who changed it",
        )
    return None


def _contradiction(said: str, _python: str) -> Failure | None:
    if said.startswith("No solution found") and (match := _CONFLICT.search(said)):
        return Failure(
            f"the dependencies cannot be met: {match[1][:_MOST_CHARACTERS]}",
            "correct the versions, commit and push",
        )
    return None


def _unreadable(said: str, _python: str) -> Failure | None:
    if match := _PARSE.search(said):
        _, _, why = said.partition(" cause: ")
        return Failure(
            f"{match[1]} has a line that is no requirement: {why[:120]}",
            "correct it, commit and push",
        )
    return None


def _unbuilt(said: str, python: str) -> Failure | None:
    match = _BUILD.search(said)
    if match is None:
        return None
    package = match[1].partition(" @ ")[0]
    if header := _HEADER.search(said):
        return Failure(
            f"{package} is built from source and lacks {header[1]}",
            "choose a version that has a wheel, or bring an image of your own: a Dockerfile",
        )
    if _GONE.search(said):
        return Failure(
            f"{package} is too old for Python {python}",
            f"take a newer version of it{_or_older(python)}",
            f"<{python}",
        )
    if tool := _TOOL.search(said):
        return Failure(
            f"{package} is built from source and wants {tool[1] or tool[2]}",
            "choose a version that has a wheel, or bring an image of your own: a Dockerfile",
        )
    return Failure(
        f"{package} does not build on Python {python}",
        f"take a newer version of it, one that has a wheel{_or_older(python)}",
        f"<{python}",
    )


def _fetch(said: str, _python: str) -> Failure | None:
    if match := _STRANGE_ISSUER.search(said):
        return Failure(
            f"the certificate of {match[1]} is signed by nobody whom builds trust",
            "on the server, PUSHDEPLOY_CA_BUNDLE names certificates that builds trust besides",
        )
    if "cannot run ssh" in said and (by_ssh := _BY_SSH.search(said)):
        return Failure(
            f"builds have no ssh, by which {by_ssh[1]} is to be fetched",
            f"write it as  git+https://${{TOKEN}}@{by_ssh[1]} , with TOKEN a config var that"
            " BUILD_ENV names",
        )
    where = _GIT.search(said)
    of = f" of {where[1]}" if where else ""
    if _REFUSED.search(said):
        return Failure(
            f"the download{of} was refused",
            "a private one needs a token: write ${TOKEN} into its URL and name it in BUILD_ENV",
        )
    if _UNREACHABLE.search(said):
        return Failure(f"the download{of} failed: the other side cannot be reached", "push again")
    return None


_EXPLANATIONS: Sequence[Callable[[str, str], Failure | None]] = (
    _stale_lock,
    _another_python,
    _not_there,
    _wrong_bytes,
    _unreadable,
    _unbuilt,
    _fetch,
    _contradiction,
)
