"""A language is one value: all that the rest of a build asks of one. No other room knows any."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from pushdeploy.build import languages
from pushdeploy.build.environment import listed_names
from pushdeploy.build.own_image import OwnImagePlan
from pushdeploy.build.plan import LayeredPlan
from pushdeploy.build.stack_order import StackOrder
from pushdeploy.build.tree import Tree
from pushdeploy.discover import discover
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.names import AppName

Plan = LayeredPlan | OwnImagePlan

NOT_BUILT = (
    "package.json",
    "Gemfile",
    "go.mod",
    "composer.json",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "build.sbt",
    "Cargo.toml",
    "mix.exs",
    "project.clj",
)
"""An app with one of these files is a program in a language that nothing here builds."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """A plan may depend on these, besides the tree.

    ``environment`` holds the config vars that a build may see, ``config_names`` the names of all;
    ``learned`` is the ``runtime`` of the ``Failure`` with which a first try ended.
    """

    environment: Mapping[str, str]
    stacks: StackOrder
    app: AppName
    today: date
    config_names: frozenset[str] = frozenset()
    learned: str = ""

    def config_set(self, *assignments: str) -> str:
        """Return the command that sets config vars."""
        return f"ssh deploy config:set {self.app} {' '.join(assignments)}"

    def let_in(self, name: str, *assignments: str) -> str:
        """Return the command that lets builds see a config var beside those that they see."""
        listed = listed_names(self.environment)
        return self.config_set(*assignments, f"BUILD_ENV={','.join(filter(None, [*listed, name]))}")


@dataclass(frozen=True, slots=True)
class Files:
    """A language knows files of an app's top directory by their names.

    ``telling`` are those by which a person sees the language, the surest first, ``read`` those
    that it reads, ``unread`` what it leaves alone though others read it, with what to do instead.
    """

    telling: Sequence[str] = ()
    read: Sequence[str] = ()
    unread: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Variables:
    """``seen`` matches names of config vars that every build may see; those of ``not_keyed`` change
    no dependency.
    """

    seen: str = ""
    not_keyed: frozenset[str] = frozenset()


def _no_programs() -> Mapping[str, str]:
    return {}


def _as_it_is(environment: Mapping[str, str]) -> Mapping[str, str]:
    return environment


@dataclass(frozen=True, slots=True)
class Tools:
    """Commands of a language find these in their build containers. No key depends on them.

    ``programs`` says where on this machine a program is that the container has at a path;
    ``caches`` maps a variable to the name of a directory, the app's own, to which it leads;
    ``environment`` adds to the config vars of an installation, ``certificates`` are variables that
    lead to the operator's certificates.
    """

    programs: Callable[[], Mapping[str, str]] = _no_programs
    caches: Mapping[str, str] = field(default_factory=dict)
    environment: Callable[[Mapping[str, str]], Mapping[str, str]] = _as_it_is
    certificates: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class StackShare:
    """Every stack has this of a language. A change makes all stacks anew, and so all slugs.

    ``versions`` maps a stack to the version that is on it; ``paths`` stand in front of PATH;
    ``script`` runs as root when a run stack is made.
    """

    versions: Mapping[str, str] = field(default_factory=dict)
    run_packages: Sequence[str] = ()
    build_packages: Sequence[str] = ()
    paths: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    script: str = ""


def _nowhere(_tree: Tree) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Language:
    """Builds one kind of app. The lowest ``order`` that detects a tree builds it.

    ``detect`` returns the file by which it knows the app. A new ``version`` makes new slugs and
    new dependency layers; ``wants`` tells a person what it looks for. Of ``watched``, package →
    pattern of a path, a dependency layer notes those that it has. ``opens_sqlite`` returns the file
    of the app that opens a database. ``joins`` tells that it builds its part of an app of another
    language, too, before that one builds the rest: then its failures name no ``runtime``.
    """

    name: str
    order: int
    version: str
    wants: str
    detect: Callable[[Tree], str | None]
    plan: Callable[[Tree, Circumstances], Plan]
    files: Files = Files()
    variables: Variables = Variables()
    tools: Tools = Tools()
    stack: StackShare = StackShare()
    watched: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    opens_sqlite: Callable[[Tree], str] = _nowhere
    joins: bool = False


def load_languages() -> Sequence[Language]:
    """Every language of the package, in their order."""
    known = []
    for module, candidate in discover(languages, "LANGUAGE").items():
        if not isinstance(candidate, Language):
            raise PushdeployError(f"LANGUAGE of languages/{module} is no Language")
        known.append(candidate)
    return sorted(known, key=lambda each: each.order)
