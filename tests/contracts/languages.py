"""What the contracts of languages are tried with: trees of files that each says it reads."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType
from typing import BinaryIO

from pushdeploy.build.keys import KeyPrefix, layer_key, slug_key
from pushdeploy.build.language import Circumstances, Language, Plan, load_languages
from pushdeploy.build.plan import BuildCommand, Install, LayeredPlan
from pushdeploy.build.stack_order import NEWEST, StackOrder
from pushdeploy.build.tree import Tree
from pushdeploy.domain.errors import BuildFailed
from pushdeploy.domain.names import AppName, CommitId, TreeId
from pushdeploy.domain.source import TreeEntry

LANGUAGES = load_languages()
STACKS = StackOrder(("bookworm", "trixie"), frozenset({"bookworm"}), NEWEST)
TREE = TreeId("1" * 40)


@dataclass(frozen=True, slots=True)
class Noted:
    """A ``SourceReader`` of files in memory that notes which have been read, and builds nothing."""

    files: Mapping[str, str]
    read_paths: set[str] = field(default_factory=set)

    def entries(self) -> Sequence[TreeEntry]:
        return [TreeEntry(0o100644, "0" * 40, len(self.files[path]), path) for path in self.files]

    def read(self, path: str) -> bytes | None:
        self.read_paths.add(path)
        return self.files[path].encode() if path in self.files else None

    def archive(self, paths: Iterable[str] = ()) -> AbstractContextManager[BinaryIO]:
        raise AssertionError("a plan is made of names and of single files")

    def descends_from(self, commit: CommitId) -> bool:
        raise AssertionError("a plan does not depend on history")

    def keep(self) -> None:
        raise AssertionError("a plan changes nothing")


def trees(language: Language) -> Sequence[Mapping[str, str]]:
    """Files that make the language detect a tree: one that it names, alone or with a Procfile."""
    names = dict.fromkeys([*language.files.telling, *language.files.read])
    made = [{name: "", **more} for name in names for more in ({}, {"Procfile": "web: x"})]
    return [files for files in made if language.detect(Tree.of(Noted(files)))]


def planned(
    language: Language,
    files: Mapping[str, str],
    environment: Mapping[str, str] | None = None,
    reader: Noted | None = None,
) -> Plan | None:
    """None where the language refuses the files with ``BuildFailed``."""
    variables = MappingProxyType(environment or {})
    app, today = AppName("shop"), date(2026, 11, 28)
    circumstances = Circumstances(variables, STACKS, app, today, frozenset(variables))
    try:
        return language.plan(Tree.of(reader or Noted(files)), circumstances)
    except BuildFailed:
        return None


def install_of(plan: Plan | None) -> Install | None:
    return plan.install if isinstance(plan, LayeredPlan) else None


def key_of(
    language: Language, install: Install, environment: Mapping[str, str] | None = None
) -> str:
    prefix = KeyPrefix("word", [language], "sha256:stack")
    return layer_key(prefix, install, TREE, environment or {})


def key_of_slug(language: Language) -> str:
    return slug_key(KeyPrefix("word", [language], "sha256:stack"), TREE, {})


def without_reasons(plan: Plan | None) -> Plan | None:
    """A plan that can be compared: how commands explain a failure is a function."""
    if not isinstance(plan, LayeredPlan):
        return plan
    install = plan.install
    if install is not None:
        install = replace(install, commands=[_plain(each) for each in install.commands])
    finish = [replace(step, command=_plain(step.command)) for step in plan.finish]
    return replace(plan, install=install, finish=finish)


def _plain(command: BuildCommand) -> BuildCommand:
    return BuildCommand(command.arguments, command.shown, command.hint)
