"""A slug's last layer is put together: the source, and what finishing steps have added."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from posixpath import normpath

from pushdeploy.build.archives import FINISHED_PATCH, Directory, content
from pushdeploy.build.containers import (
    APP_USER,
    Sandbox,
    assembly_container,
    build_container,
    remove_aside,
    temporary,
)
from pushdeploy.build.environment import certificates
from pushdeploy.build.execution import Executor, Underway
from pushdeploy.build.plan import Finish
from pushdeploy.build.tarpatch import first_file
from pushdeploy.domain.chunks import ChunkReader
from pushdeploy.domain.container import ContainerSpec, ImageChange
from pushdeploy.domain.names import ImageDigest
from pushdeploy.domain.shell import watched

_MOST_RESULT_BYTES = 4096


@dataclass(frozen=True, slots=True)
class WantedSlug:
    """``base`` has the dependencies; ``environment`` is what the slug says besides that of its
    stack; ``certificates`` are variables that lead steps to the operator's certificates. ``alone``
    is the image that gets what the last step has made and nothing else; empty: all is kept.
    """

    base: str
    tag: str
    labels: Mapping[str, str]
    environment: Mapping[str, str]
    steps: Sequence[Finish]
    certificates: Sequence[str]
    alone: str = ""


@dataclass(frozen=True, slots=True)
class Assembly:
    """Puts slugs together."""

    executor: Executor

    def make(self, wanted: WantedSlug, underway: Underway) -> ImageDigest:
        """Docker gets all of a layer in one archive: for each that it unpacks it starts anew."""
        engine = self.executor.engine
        with ExitStack() as containers:
            made: list[Directory] = []
            for step in wanted.steps:
                made += self._finished(step, wanted, made, containers, underway)
            spec = assembly_container(wanted.alone or wanted.base, engine.instance)
            container = containers.enter_context(temporary(engine, spec))
            source = None if wanted.alone else underway.source
            kept = made[-1:] if wanted.alone else made
            engine.put_archive(container, "/", content(engine, source, kept))
            underway.cancellation.check()
            change = ImageChange(wanted.labels, wanted.environment, "/app", APP_USER)
            with underway.output.step("Writing the slug"):
                slug = engine.commit(container, wanted.tag, change)
            remove_aside(containers.pop_all())
            return slug

    def _finished(
        self,
        step: Finish,
        wanted: WantedSlug,
        made: Sequence[Directory],
        containers: ExitStack,
        underway: Underway,
    ) -> Sequence[Directory]:
        """What a step leaves in a container like the slug, which has what was ``made`` before.

        The container stays until ``containers`` are closed.
        """
        engine = self.executor.engine
        spec = self._container(step, wanted, underway)
        with underway.output.step(step.title):
            container = containers.enter_context(temporary(engine, spec))
            engine.put_archive(container, "/", content(engine, underway.source, made))
            self.executor.execute(container, [step.command], underway)
            with engine.get_archive(container, step.result_file) as chunks:
                path = first_file(ChunkReader(chunks), _MOST_RESULT_BYTES).decode()
        return [Directory(container, normpath(f"/{path}"), FINISHED_PATCH)] if path else []

    def _container(self, step: Finish, wanted: WantedSlug, underway: Underway) -> ContainerSpec:
        settings = self.executor.settings
        trust, bundle = certificates(settings.ca_bundle, wanted.certificates)
        environment = {**wanted.environment, **trust, **underway.environment}
        return build_container(
            wanted.base,
            watched(step.command.arguments),
            Sandbox(underway.labels, environment, read_only_mounts=bundle),
            settings,
            self.executor.engine.instance,
        )
