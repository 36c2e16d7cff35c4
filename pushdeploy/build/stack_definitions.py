"""A stack is a Debian suite with what each language has on it: the definitions are data."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pushdeploy.build.language import Language

_RECIPE = 1
"""Raise it when the scripts that make a stack change what comes out."""

_RUN_PACKAGES = ("ca-certificates", "libpq5", "media-types", "netbase", "tzdata")
_BUILD_PACKAGES = (
    "build-essential",
    "git",
    "libffi-dev",
    "libjpeg-dev",
    "libpq-dev",
    "libsqlite3-dev",
    "libssl-dev",
    "pkg-config",
    "zlib1g-dev",
)
_ENVIRONMENT = {"LANG": "C.UTF-8", "HOME": "/app"}
_PATHS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_USER_SCRIPT = """\
groupadd --gid 1000 app
useradd --uid 1000 --gid 1000 --home-dir /app --no-create-home --shell /bin/bash app
install -d -o 1000 -g 1000 -m 2775 /app
"""

EXCLUDED_PATHS = (
    "/usr/share/doc/*",
    "/usr/share/info/*",
    "/usr/share/lintian/*",
    "/usr/share/locale/*",
    "/usr/share/man/*",
)

SUITES = ("bookworm", "trixie")
"""Each makes a stack of its name; the oldest first."""

FIRST = "bookworm"
"""What is prepared where nobody says which."""


@dataclass(frozen=True, slots=True)
class StackDefinition:
    """``versions`` are those of languages, ``environment`` is that of every slug of ours, apart
    from what its plan and a release add; ``script`` makes a Debian system a run stack.

    ``epoch`` is the time (seconds) that a bootstrapped stack's files get.
    """

    name: str
    suite: str
    versions: Mapping[str, str]
    run_packages: Sequence[str]
    build_packages: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    script: str = _USER_SCRIPT
    epoch: int = 1_735_689_600

    def __str__(self) -> str:
        """The languages that are on it, as people call them."""
        return ", ".join(f"{name.capitalize()} {text}" for name, text in self.versions.items())

    @property
    def key(self) -> str:
        """Return 12 hex digits: another definition has another key, and so other images."""
        facts = {
            "name": self.name,
            "suite": self.suite,
            **self.versions,
            "run_packages": self.run_packages,
            "build_packages": self.build_packages,
            "epoch": self.epoch,
        }
        whole = [_RECIPE, facts, dict(self.environment), self.script, EXCLUDED_PATHS]
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()[:12]

    @property
    def run_tag(self) -> str:
        return f"pushdeploy/stack:{self.name}-run-{self.key}"

    @property
    def build_tag(self) -> str:
        return f"pushdeploy/stack:{self.name}-build-{self.key}"

    @property
    def upstream(self) -> str:
        return f"debian:{self.suite}-slim"


def stack_definitions(languages: Sequence[Language]) -> Mapping[str, StackDefinition]:
    """All stacks by their names, each with what the languages want to have on it."""
    return {suite: _definition(suite, languages) for suite in SUITES}


def path_of(directories: Sequence[str]) -> str:
    """The PATH in which ``directories`` stand before those of Debian."""
    return ":".join(dict.fromkeys([*directories, *_PATHS]))


def _definition(suite: str, languages: Sequence[Language]) -> StackDefinition:
    shares = [language.stack for language in languages]
    environment = {"PATH": path_of([path for share in shares for path in share.paths])}
    for share in shares:
        environment |= share.environment
    return StackDefinition(
        name=suite,
        suite=suite,
        versions={
            language.name: language.stack.versions[suite]
            for language in languages
            if suite in language.stack.versions
        },
        run_packages=sorted([*_RUN_PACKAGES, *(p for share in shares for p in share.run_packages)]),
        build_packages=sorted(
            [*_BUILD_PACKAGES, *(p for share in shares for p in share.build_packages)]
        ),
        environment=_ENVIRONMENT | environment,
        script=_USER_SCRIPT + "".join(share.script for share in shares),
    )
