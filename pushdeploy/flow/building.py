"""The build of a commit: the operator's hook, the builder, and advice for a first deploy."""

from dataclasses import dataclass, field

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.errors import BuildFailed, Cancelled, PushdeployError
from pushdeploy.domain.ports.builder import Builder
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.slug import Slug
from pushdeploy.domain.source import Source
from pushdeploy.flow import first_deploy
from pushdeploy.lifecycle import Lifecycle
from pushdeploy.publish.publisher import Publisher
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class Preparation:
    """A preparation keeps the lines and steps of a build, which come before its release."""

    lines: list[str] = field(default_factory=list)
    steps: list[tuple[str, float]] = field(default_factory=list)

    def add_step(self, title: str, seconds: float) -> None:
        self.steps.append((title, seconds))


@dataclass(frozen=True, slots=True)
class Building:
    """A commit becomes a slug here."""

    store: Store
    builder: Builder
    lifecycle: Lifecycle
    publisher: Publisher

    def slug_of(self, source: Source, asker: Asker) -> tuple[Slug, Preparation]:
        """The slug of ``source``, and what was printed on the way to it. ``BuildFailed``."""
        made = Preparation()
        output = asker.output.also(made.lines.append, made.add_step)
        self._run_pre_build(source, asker, output)
        first_deploy.configure(self.store, source, output)
        config = self.store.config.whole(source.app)
        app = self.store.apps.get(source.app)
        slug = self.builder.build(source, app.id, config, output, asker.cancellation)
        asker.cancellation.check()
        self.publisher.ensure(app, slug, output)
        first_deploy.advise(self.store, source, slug, output)
        return slug, made

    def _run_pre_build(self, source: Source, asker: Asker, output: Output) -> None:
        """The operator's word on whether there may be a build: its failure is the build's."""
        facts = {"APP": str(source.app), "SLUG_COMMIT": str(source.commit), "BY": str(asker.by)}
        try:
            self.lifecycle.run("pre-build", facts, output, asker.cancellation)
        except Cancelled:
            raise
        except PushdeployError as error:
            raise BuildFailed(error.message, error.hint) from error
