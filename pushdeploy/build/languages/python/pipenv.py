"""Pipfile.lock becomes requirements: every package pinned, with its hashes, as pipenv has them."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pushdeploy.build.languages.python.poetry import normal_name, read_toml
from pushdeploy.domain.errors import BuildFailed

_SECTIONS = frozenset(
    {"source", "packages", "dev-packages", "requires", "scripts", "pipfile", "pipenv"}
)
_SHELL_VARIABLE = re.compile(r"\$([A-Z_][A-Z0-9_]*)")
"""pipenv expands them as a shell does, uv wants braces."""

_INDEX = "https://pypi.org/simple"


def pipfile_requirements(text: str) -> str:
    """The ``default`` section as lines of a requirements file (Pipfile.lock, pipfile-spec 6)."""
    lock = _parse(text)
    sources = [
        _SHELL_VARIABLE.sub(r"${\1}", source["url"])
        for source in lock.get("_meta", {}).get("sources", ())
    ]
    packages: Mapping[str, Mapping[str, Any]] = lock.get("default", {})
    lines = [_requirement(name, package) for name, package in sorted(packages.items())]
    return "\n".join([*_indexes(sources), *lines, ""])


def refuse_stale(pipfile: str, lock: str) -> None:
    """Raise ``BuildFailed`` when the lock was made of another Pipfile, as ``pipenv install
    --deploy``.

    The hash is that of plette; newer versions of pipenv take the names in their normal form. A
    Pipfile without a source gets one of pipenv's own settings: it is not judged.
    """
    wanted = _parse(lock).get("_meta", {}).get("hash", {}).get("sha256")
    data = read_toml("Pipfile", pipfile)
    if wanted and "source" in data and wanted not in {_hash(data, str), _hash(data, normal_name)}:
        raise BuildFailed(
            "Pipfile.lock does not fit the Pipfile any more",
            "run  pipenv lock , commit Pipfile.lock and push",
        )


def _hash(data: Mapping[str, Any], name_of: Callable[[str], str]) -> str:
    def named(section: Mapping[str, Any]) -> Mapping[str, Any]:
        return {name_of(name): value for name, value in section.items()}

    others = {key: named(data[key]) for key in data if key not in _SECTIONS}
    content = {
        "_meta": {"sources": data["source"], "requires": data.get("requires", {})},
        "default": named(data.get("packages", {})),
        "develop": named(data.get("dev-packages", {})),
        **others,
    }
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _parse(text: str) -> Mapping[str, Any]:
    try:
        lock = json.loads(text)
    except ValueError as error:
        raise BuildFailed(
            f"Pipfile.lock is not JSON: {error}", "run  pipenv lock  and commit it"
        ) from error
    if not isinstance(lock, dict) or not isinstance(lock.get("default", {}), dict):
        raise BuildFailed("Pipfile.lock has no packages", "run  pipenv lock  and commit it")
    return lock


def _indexes(urls: Sequence[str]) -> list[str]:
    first, *others = urls or [_INDEX]
    lines = [] if first.rstrip("/") == _INDEX else [f"--index-url {first}"]
    return lines + [f"--extra-index-url {url}" for url in others]


def _requirement(name: str, package: Mapping[str, Any]) -> str:
    extras = f"[{','.join(package['extras'])}]" if package.get("extras") else ""
    marker = f" ; {package['markers']}" if package.get("markers") else ""
    if "git" in package:
        inner = f"#subdirectory={package['subdirectory']}" if package.get("subdirectory") else ""
        url = str(package["git"]).removeprefix("git+")
        return f"{name}{extras} @ git+{url}@{package.get('ref', 'HEAD')}{inner}{marker}"
    if "path" in package:
        editable = "-e " if package.get("editable") else ""
        return f"{editable}{package['path']}{extras}"
    if "file" in package:
        return f"{name}{extras} @ {package['file']}{marker}"
    if "version" not in package:
        raise BuildFailed(
            f"Pipfile.lock does not pin {name}", "run  pipenv lock  and commit the result"
        )
    hashes = "".join(f" --hash={digest}" for digest in package.get("hashes", ()))
    return f"{name}{extras}{package['version']}{marker}{hashes}"
