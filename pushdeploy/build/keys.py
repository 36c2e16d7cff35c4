"""Names for what a build makes: an equal key means an equal slug, or an equal dependency layer.

A key is known to its app alone.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from pushdeploy.build.environment import environment_hash
from pushdeploy.build.plan import Install, Language
from pushdeploy.domain.names import TreeId


@dataclass(frozen=True, slots=True)
class Ground:
    """What all keys of an app have in common.

    ``scope`` is the app's own word: an equal tree of another app makes another key, for a build
    runs code of the app, and what that code leaves is determined by no key. ``stack`` is the
    digest of the run stack, empty where none is used.
    """

    scope: str
    language: Language
    stack: str

    @property
    def parts(self) -> tuple[str, ...]:
        return self.scope, self.language.name, self.language.version, self.stack


def slug_key(ground: Ground, tree: TreeId, environment: Mapping[str, str]) -> str:
    """64 hex digits."""
    return _hash("slug", *ground.parts, tree, environment_hash(environment))


_NOT_FOR_INSTALL = frozenset(
    {"BUILD_ENV", "DISABLE_COLLECTSTATIC", "DEBUG_COLLECTSTATIC", "PYTHON_VERSION"}
)
"""What a build may see and what no dependency depends on."""


def layer_key(
    ground: Ground, install: Install, tree: TreeId, environment: Mapping[str, str]
) -> str:
    """The key of a dependency layer: the tree counts only where it is copied first."""
    files = {name: hashlib.sha256(data).hexdigest() for name, data in install.files.items()}
    commands = [list(command.arguments) for command in install.commands]
    seen = {name: text for name, text in environment.items() if name not in _NOT_FOR_INSTALL}
    return _hash(
        "dependencies",
        *ground.parts,
        json.dumps(files, sort_keys=True),
        json.dumps(commands),
        json.dumps(sorted(install.environment.items())),
        tree if install.whole_tree else "",
        environment_hash(seen),
    )


def _hash(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
