"""Names for what a build makes: an equal key means an equal slug, or an equal dependency layer."""

import hashlib
import json
from collections.abc import Mapping

from pushdeploy.build.environment import environment_hash
from pushdeploy.build.plan import Buildpack, Install
from pushdeploy.domain.names import TreeId


def slug_key(tree: TreeId, buildpack: Buildpack, stack: str, environment: Mapping[str, str]) -> str:
    """64 hex digits; ``stack`` is the digest of the run stack, empty where none is used."""
    return _hash(
        "slug", tree, buildpack.name, buildpack.version, stack, environment_hash(environment)
    )


_NOT_FOR_INSTALL = frozenset({"BUILD_ENV", "DISABLE_COLLECTSTATIC", "PYTHON_VERSION"})
"""What a build may see and what no dependency depends on."""


def layer_key(
    install: Install,
    buildpack: Buildpack,
    stack: str,
    tree: TreeId,
    environment: Mapping[str, str],
) -> str:
    """The key of a dependency layer: the tree counts only where it is copied first."""
    files = {name: hashlib.sha256(data).hexdigest() for name, data in install.files.items()}
    commands = [list(command.arguments) for command in install.commands]
    seen = {name: text for name, text in environment.items() if name not in _NOT_FOR_INSTALL}
    return _hash(
        "dependencies",
        buildpack.name,
        buildpack.version,
        stack,
        json.dumps(files, sort_keys=True),
        json.dumps(commands),
        json.dumps(sorted(install.environment.items())),
        tree if install.whole_tree else "",
        environment_hash(seen),
    )


def _hash(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
