"""The stacks there are, as data: a Debian suite, its Python, and the packages of run and build."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

_RECIPE = 1
"""Raise it when the scripts that make a stack change what comes out."""

_RUN_PACKAGES = ("ca-certificates", "libpq5", "media-types", "netbase", "python3", "tzdata")
_BUILD_PACKAGES = (
    "build-essential",
    "git",
    "libffi-dev",
    "libjpeg-dev",
    "libpq-dev",
    "libsqlite3-dev",
    "libssl-dev",
    "pkg-config",
    "python3-dev",
    "zlib1g-dev",
)

ENVIRONMENT: Mapping[str, str] = {
    "PATH": "/opt/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "HOME": "/app",
    "PYTHONUNBUFFERED": "1",
}
"""The environment of every slug of ours, apart from what a release computes."""

USER_SCRIPT = """\
groupadd --gid 1000 app
useradd --uid 1000 --gid 1000 --home-dir /app --no-create-home --shell /bin/bash app
install -d -o 1000 -g 1000 -m 2775 /app
ln -s /usr/bin/python3 /usr/local/bin/python
"""
"""What makes a Debian system a run stack."""

EXCLUDED_PATHS = (
    "/usr/share/doc/*",
    "/usr/share/info/*",
    "/usr/share/lintian/*",
    "/usr/share/locale/*",
    "/usr/share/man/*",
)


@dataclass(frozen=True, slots=True)
class StackDefinition:
    """``epoch`` is the time (seconds) that a bootstrapped stack's files get."""

    name: str
    suite: str
    python: str
    run_packages: Sequence[str] = _RUN_PACKAGES
    build_packages: Sequence[str] = _BUILD_PACKAGES
    epoch: int = 1_735_689_600

    @property
    def key(self) -> str:
        """12 hex digits: another definition has another key, and so other images."""
        facts = [_RECIPE, asdict(self), dict(ENVIRONMENT), USER_SCRIPT, EXCLUDED_PATHS]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]

    @property
    def run_tag(self) -> str:
        return f"pushdeploy/stack:{self.name}-run-{self.key}"

    @property
    def build_tag(self) -> str:
        return f"pushdeploy/stack:{self.name}-build-{self.key}"

    @property
    def upstream(self) -> str:
        return f"debian:{self.suite}-slim"


DEFINITIONS: Mapping[str, StackDefinition] = {
    "bookworm": StackDefinition("bookworm", "bookworm", "3.11"),
    "trixie": StackDefinition("trixie", "trixie", "3.13"),
}

FIRST = "bookworm"
"""What is prepared where nobody says which."""

PYTHONS: Mapping[str, str] = {name: stack.python for name, stack in DEFINITIONS.items()}
