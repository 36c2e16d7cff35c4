"""A poetry.lock becomes requirements for uv, held to exactly the versions of the lock."""

import hashlib
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pushdeploy.domain.errors import BuildFailed

_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_LOCK_VERSIONS = frozenset({"2.0", "2.1"})
_OLD_KEYS = ("dependencies", "source", "extras", "dev-dependencies")
_PROJECT_KEYS = ("requires-python", "dependencies", "optional-dependencies")
_RELOCK = "run  poetry lock  and commit poetry.lock"


@dataclass(frozen=True, slots=True)
class PoetryPins:
    """``requirements`` name the project's main dependencies, ``constraints`` pin all packages."""

    requirements: str
    constraints: str
    requires_python: str
    local: bool


def poetry_pins(pyproject: str, lock: str) -> PoetryPins:
    """Raise ``BuildFailed`` when the lock lacks what the project asks for, or pins a package
    twice.
    """
    project = read_toml("pyproject.toml", pyproject)
    packages = read_toml("poetry.lock", lock).get("package", [])
    _refuse_stale(project, lock)
    pins = _pins(packages)
    poetry = project.get("tool", {}).get("poetry", {})
    wanted = _wanted(project, poetry)
    for name in wanted:
        if name not in pins:
            raise BuildFailed(
                f"pyproject.toml asks for {name}, which is not in poetry.lock", _RELOCK
            )
    sources = {package["name"]: package.get("source", {}) for package in packages}
    local = any(source.get("type") in {"directory", "file"} for source in sources.values())
    return PoetryPins(
        "\n".join([*_indexes(packages), *wanted.values(), ""]),
        "\n".join([*(line for name in sorted(pins) for line in pins[name]), ""]),
        _python(project, poetry),
        local,
    )


def _refuse_stale(project: Mapping[str, Any], lock: str) -> None:
    """As ``poetry install``. A lock of an unknown form is not judged by its hash."""
    metadata = read_toml("poetry.lock", lock).get("metadata", {})
    wanted, version = metadata.get("content-hash"), str(metadata.get("lock-version", ""))
    if wanted and version in _LOCK_VERSIONS and wanted not in _hashes(project):
        raise BuildFailed("poetry.lock does not fit pyproject.toml any more", _RELOCK)


def _hashes(project: Mapping[str, Any]) -> set[str]:
    """What Poetry may have written as ``content-hash``: 1, 2.0 with a project table, 2.2."""
    poetry = project.get("tool", {}).get("poetry", {})
    old = {key: poetry.get(key) for key in _OLD_KEYS}
    grouped = {**old, "group": poetry["group"]} if "group" in poetry else old
    present = {key: value for key, value in grouped.items() if value is not None}
    table = project.get("project", {})
    facts = {key: table[key] for key in _PROJECT_KEYS if table.get(key) is not None}
    groups = project.get("dependency-groups", {})
    contents: list[Mapping[str, Any]] = [
        grouped,
        {"project": facts, "tool": {"poetry": present}},
        {"project": facts, "dependency-groups": groups, "tool": {"poetry": present}},
        {"dependency-groups": groups, "tool": {"poetry": present}},
    ]
    texts = [json.dumps(content, sort_keys=True, default=str) for content in contents]
    return {hashlib.sha256(text.encode()).hexdigest() for text in texts}


def read_toml(name: str, text: str) -> Mapping[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BuildFailed(f"{name} is not TOML: {error}", "correct it, commit and push") from error


def normal_name(name: str) -> str:
    """Normalize a name as PEP 503 has it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _pins(packages: list[Mapping[str, Any]]) -> Mapping[str, list[str]]:
    pins: dict[str, list[str]] = {}
    for package in packages:
        pins.setdefault(normal_name(package["name"]), []).append(_pin(package))
    for name, lines in pins.items():
        if len(lines) > 1 and not all(" ; " in line for line in lines):
            raise BuildFailed(
                f"poetry.lock pins {name} twice, without telling for which Python",
                "run  poetry lock  with Poetry 2.0 or newer and commit poetry.lock",
            )
    return pins


def _pin(package: Mapping[str, Any]) -> str:
    source = package.get("source", {})
    if source.get("type") == "git":
        return f"{package['name']} @ git+{source['url']}@{source['resolved_reference']}"
    if source.get("type") in {"directory", "file"}:
        return f"{package['name']} @ file:///app/{source['url']}"
    if source.get("type") == "url":
        return f"{package['name']} @ {source['url']}"
    hashes = "".join(f" --hash={file['hash']}" for file in package.get("files", ()))
    return f"{package['name']}=={package['version']}{_marker(package)}{hashes}"


def _marker(package: Mapping[str, Any]) -> str:
    markers = package.get("markers", "")
    if isinstance(markers, Mapping):
        markers = markers.get("main", "")
    return f" ; {markers}" if markers else ""


def _indexes(packages: list[Mapping[str, Any]]) -> list[str]:
    urls = {
        package["source"]["url"]
        for package in packages
        if package.get("source", {}).get("type") == "legacy"
    }
    return [f"--extra-index-url {url}" for url in sorted(urls)]


def _wanted(project: Mapping[str, Any], poetry: Mapping[str, Any]) -> Mapping[str, str]:
    """Normal name → requirement without a version, for the lock has it."""
    wanted: dict[str, str] = {}
    for text in project.get("project", {}).get("dependencies", ()):
        name, requirement = _unpinned(text)
        wanted[name] = requirement
    for name, value in poetry.get("dependencies", {}).items():
        choices = value if isinstance(value, list) else [value]
        facts = choices[0] if isinstance(choices[0], Mapping) else {}
        if name.lower() == "python" or facts.get("optional"):
            continue
        wanted.setdefault(normal_name(name), _from_table(name, facts))
    return wanted


def _unpinned(text: str) -> tuple[str, str]:
    """``Django[argon2]>=5,<6 ; marker`` → ``Django[argon2] ; marker``."""
    head, _semicolon, marker = text.partition(";")
    match = _NAME.match(head)
    if not match:
        raise BuildFailed(f"pyproject.toml has a dependency without a name: {text!r}")
    extras = re.match(r"\s*(\[[^\]]*\])", head[match.end() :])
    requirement = match.group(1) + (extras.group(1) if extras else "")
    return normal_name(match.group(1)), requirement + (f" ; {marker.strip()}" if marker else "")


def _from_table(name: str, facts: Mapping[str, Any]) -> str:
    extras = f"[{','.join(facts['extras'])}]" if facts.get("extras") else ""
    marker = f" ; {facts['markers']}" if facts.get("markers") else ""
    return f"{name}{extras}{marker}"


def _python(project: Mapping[str, Any], poetry: Mapping[str, Any]) -> str:
    requires = project.get("project", {}).get("requires-python")
    return str(requires or poetry.get("dependencies", {}).get("python", ""))
