"""Source → DecidedBuild: everything that can be wrong in a source is found before a build."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from pushdeploy.build.advice import refuse_lfs_pointers, unread
from pushdeploy.build.app_json import read_app_json
from pushdeploy.build.caches import AppCaches
from pushdeploy.build.choice import choose, parts_of
from pushdeploy.build.decided_build import DecidedBuild, Part
from pushdeploy.build.environment import build_environment
from pushdeploy.build.keys import KeyPrefix, slug_key
from pushdeploy.build.language import Circumstances, Language
from pushdeploy.build.plan import LayeredPlan
from pushdeploy.build.processes import processes_of, refuse_directories
from pushdeploy.build.publishing import VERSION, processes_beside
from pushdeploy.build.stack_order import StackOrder
from pushdeploy.build.stacks import Stack, Stacks
from pushdeploy.build.tree import Tree
from pushdeploy.domain.names import AppName
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.release import Release
from pushdeploy.domain.source import Source


class LiveReleases(Protocol):
    """Tells the release that an app runs: it stays on its stack."""

    def current(self, app: AppName) -> Release | None: ...


@dataclass(frozen=True, slots=True)
class Decider:
    """Decides how a source is built; ``stack`` is the one for new apps, or NEWEST."""

    languages: Sequence[Language]
    stacks: Stacks
    live: LiveReleases
    caches: AppCaches
    stack: str

    def decide(
        self,
        source: Source,
        app_id: int,
        config: Mapping[str, str],
        learned: str,
        output: Output,
    ) -> DecidedBuild:
        """Makes the stack where it is not there; ``learned`` is what a first try has told."""
        environment = build_environment(config, (each.variables.seen for each in self.languages))
        tree = Tree.of(source.reader)
        choice = choose(self.languages, tree)
        output.detail(str(choice))
        circumstances = self._circumstances(source.app, environment, frozenset(config), learned)
        parts = parts_of(choice, tree, circumstances)
        for notice in (notice for part in parts for notice in part.plan.notices):
            output.detail(f"note: {notice}")
        main = parts[-1].plan
        publication = main.publishes if isinstance(main, LayeredPlan) else None
        if publication is None:
            processes = processes_of(tree, main.default_processes, main.example)
        else:
            processes = processes_beside(tree)
            output.detail(f"publishes {publication}, without a process for it")
        if isinstance(main, LayeredPlan):
            refuse_directories(tree, processes)
        facts = read_app_json(tree)
        refuse_lfs_pointers(tree)
        layered = [part.language for part in parts if isinstance(part.plan, LayeredPlan)]
        for line in unread(tree, facts, layered, self.languages):
            output.trouble(line)
        stack = self._stack(parts, output)
        prefix = KeyPrefix(
            scope=self.caches.scope(app_id),
            languages=[part.language for part in parts],
            base=stack.run if stack else "",
            publishing=VERSION if publication else "",
        )
        key = slug_key(prefix, source.tree, environment)
        return DecidedBuild(
            app_id, key, prefix, source, parts, stack, processes, facts, environment
        )

    def _circumstances(
        self, app: AppName, environment: Mapping[str, str], names: frozenset[str], learned: str
    ) -> Circumstances:
        today = datetime.now(UTC).date()
        return Circumstances(environment, self._stack_order(app), app, today, names, learned)

    def _stack_order(self, app: AppName) -> StackOrder:
        """The engine is not asked about other stacks where the app stays on its own."""
        live = self.live.current(app)
        former = live.slug.stack if live else ""
        names = tuple(self.stacks.definitions)
        ready = {former} if former in names else filter(self.stacks.ready, names)
        return StackOrder(names, frozenset(ready), self.stack, former)

    def _stack(self, parts: Sequence[Part], output: Output) -> Stack | None:
        main = parts[-1].plan
        if not isinstance(main, LayeredPlan):
            return None
        stack = self.stacks.ensure(main.stack, output)
        output.detail(", ".join([f"stack {stack.name}", *_runtimes(parts)]))
        return stack


def _runtimes(parts: Sequence[Part]) -> Iterator[str]:
    for part in parts:
        if isinstance(part.plan, LayeredPlan) and part.plan.runtime:
            yield part.plan.runtime
