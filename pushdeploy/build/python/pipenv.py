"""Pipfile.lock as requirements: every package pinned, with its hashes, as pipenv installs them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pushdeploy.domain.errors import BuildFailed

_INDEX = "https://pypi.org/simple"


def pipfile_requirements(text: str) -> str:
    """The ``default`` section as lines of a requirements file (Pipfile.lock, pipfile-spec 6)."""
    lock = _parse(text)
    sources = [source["url"] for source in lock.get("_meta", {}).get("sources", ())]
    packages: Mapping[str, Mapping[str, Any]] = lock.get("default", {})
    lines = [_requirement(name, package) for name, package in sorted(packages.items())]
    return "\n".join([*_indexes(sources), *lines, ""])


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
        return f"{name}{extras} @ git+{package['git']}@{package.get('ref', 'HEAD')}{inner}{marker}"
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
