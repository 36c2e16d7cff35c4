"""Equal keys mean equal slugs, or equal dependency layers.

A key is known to its app alone.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pushdeploy.build.environment import environment_hash
from pushdeploy.build.language import Language
from pushdeploy.build.plan import Install
from pushdeploy.domain.names import TreeId


@dataclass(frozen=True, slots=True)
class KeyPrefix:
    """All keys of an app begin with these.

    ``scope`` is the app's own word: an equal tree of another app makes another key, for a build
    runs code of the app, and what that code leaves is determined by no key. ``base`` is what all
    stands on: the digest of the run stack, or the key of a dependency layer; empty where the app
    brings an image of its own. ``publishing`` is the version of how folders are published, empty
    where none is.
    """

    scope: str
    languages: Sequence[Language]
    base: str
    publishing: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        names = "+".join(each.name for each in self.languages)
        versions = "+".join(each.version for each in self.languages)
        published = ("published", self.publishing) if self.publishing else ()
        return self.scope, names, versions, self.base, *published


def slug_key(prefix: KeyPrefix, tree: TreeId, environment: Mapping[str, str]) -> str:
    """Return 64 hex digits, the same for equal content."""
    return _hash("slug", *prefix.parts, tree, environment_hash(environment))


def layer_key(
    prefix: KeyPrefix, install: Install, tree: TreeId, environment: Mapping[str, str]
) -> str:
    """The key of a dependency layer: the tree counts only where it is copied first."""
    files = {name: hashlib.sha256(data).hexdigest() for name, data in install.files.items()}
    commands = [list(command.arguments) for command in install.commands]
    not_keyed = {"BUILD_ENV"}.union(*(each.variables.not_keyed for each in prefix.languages))
    seen = {name: text for name, text in environment.items() if name not in not_keyed}
    return _hash(
        "dependencies",
        *prefix.parts,
        json.dumps(files, sort_keys=True),
        json.dumps(commands),
        json.dumps(sorted(install.environment.items())),
        tree if install.whole_tree else "",
        environment_hash(seen),
    )


def _hash(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
