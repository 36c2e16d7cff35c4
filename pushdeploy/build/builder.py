"""Source → Slug: choose a language, reuse what an equal build made, else build in layers."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from pushdeploy.build.advice import refuse_lfs_pointers, unread
from pushdeploy.build.app_json import read_app_json
from pushdeploy.build.caches import AppCaches, remove_former
from pushdeploy.build.choice import choose, load_languages
from pushdeploy.build.containers import OWNER_LABEL, ROLE_LABEL, BuildSettings, WrongRuntime
from pushdeploy.build.decided_build import DecidedBuild
from pushdeploy.build.environment import build_environment, listed_environment
from pushdeploy.build.keys import Ground, layer_key, slug_key
from pushdeploy.build.languages.dockerfile.checking import check_images, text_as_sent
from pushdeploy.build.languages.dockerfile.features import clearer_failures, refuse_unknown
from pushdeploy.build.languages.dockerfile.listed import listed_for
from pushdeploy.build.layers import PACKAGES_LABEL, Job, Layers
from pushdeploy.build.plan import Circumstances, DockerfilePlan, Finish, Install, LayeredPlan
from pushdeploy.build.processes import processes_of
from pushdeploy.build.stack_definitions import DEFINITIONS
from pushdeploy.build.stack_order import StackOrder
from pushdeploy.build.stacks import Stack, Stacks
from pushdeploy.build.tree import Tree
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.container import BuildOptions
from pushdeploy.domain.errors import BackendDown
from pushdeploy.domain.names import AppName, ImageDigest
from pushdeploy.domain.ports.engine import Engine
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.release import Release
from pushdeploy.domain.slug import Slug
from pushdeploy.domain.source import Source

_TAG_DIGITS = 32

DEPENDENCIES_LABEL = "pushdeploy.dependencies"
"""The key of a dependency layer: on the layer, and on every slug that stands on it."""


class SlugStore(Protocol):
    """Where slugs are remembered by their keys."""

    def find(self, key: str) -> Slug | None: ...
    def add(self, slug: Slug) -> None:
        """Replaces one with the same key: its image had gone."""


class LiveReleases(Protocol):
    """Where the release that an app runs is found: it stays on its stack."""

    def current(self, app: AppName) -> Release | None: ...


class SlugBuilder:
    """The port ``Builder``, on the languages of build/languages/."""

    def __init__(
        self,
        engine: Engine,
        stacks: Stacks,
        slugs: SlugStore,
        live: LiveReleases,
        options: BuildSettings,
    ) -> None:
        self._engine = engine
        self._stacks = stacks
        self._slugs = slugs
        self._live = live
        self._options = options
        self._languages = load_languages()
        self._layers = Layers(engine, options)
        self.caches = AppCaches(options.cache / "apps")

    def sweep(self) -> None:
        """Remove the build containers that a killed server left, and what builds once shared."""
        remove_former(self._options.cache)
        self._engine.sweep()
        for info in self._engine.containers({ROLE_LABEL: "build"}):
            self._engine.remove(info.id)

    def build(
        self,
        source: Source,
        app_id: int,
        config: Mapping[str, str],
        output: Output,
        cancellation: Cancellation,
    ) -> Slug:
        """Reuses the app's slug of an equal tree, builder, stack and build environment.

        ``BuildFailed`` tells what is wrong with the source, ``BackendDown`` with the machine.
        """
        learned = ""
        while True:
            decided = self._decide(source, app_id, config, learned, output)
            try:
                return self._built(decided, config, output, cancellation)
            except WrongRuntime as error:
                if learned:
                    raise
                output.detail(f"{error.message}: trying another")
                learned = error.learned

    def _built(
        self,
        decided: DecidedBuild,
        config: Mapping[str, str],
        output: Output,
        cancellation: Cancellation,
    ) -> Slug:
        known = self.find(decided.key)
        if known is not None:
            built = f"{known.created_at:%Y-%m-%d %H:%M} UTC"
            output.headline(f"Reusing slug {known.key[:12]} (built {built})")
            return replace(known, commit=decided.source.commit)
        cancellation.check()
        deadline = time.monotonic() + self._options.timeout_seconds
        source = decided.source
        labels = {"pushdeploy.app": source.app, "pushdeploy.commit": source.commit}
        downloads = self.caches.downloads(decided.app_id)
        job = Job(source, downloads, labels, decided.environment, output, cancellation, deadline)
        slug = self._slug_of(self._image(decided, config, job), decided, output)
        self._slugs.add(slug)
        return slug

    def find(self, key: str) -> Slug | None:
        """A slug whose image is still there."""
        slug = self._slugs.find(key)
        if slug is None or self._engine.image(slug.image) is None:
            return None
        return slug

    def has(self, slug: Slug) -> bool:
        return self._engine.image(slug.image) is not None

    def remove(self, slug: Slug) -> None:
        """Remove the slug's image; what other slugs share with it stays."""
        self._engine.remove_image(self._tag("slug", slug.key))
        self._engine.remove_image(slug.image)

    def _stack_order(self, app: AppName) -> StackOrder:
        """The engine is not asked about other stacks where the app stays on its own."""
        live = self._live.current(app)
        former = live.slug.stack if live else ""
        names = tuple(DEFINITIONS)
        ready = {former} if former in names else filter(self._stacks.ready, names)
        return StackOrder(names, frozenset(ready), self._options.stack, former)

    def _decide(
        self,
        source: Source,
        app_id: int,
        config: Mapping[str, str],
        learned: str,
        output: Output,
    ) -> DecidedBuild:
        """Everything that can be wrong in the source is found here, before anything is built."""
        environment = build_environment(config)
        tree = Tree.of(source.reader)
        choice = choose(self._languages, tree)
        output.detail(str(choice))
        circumstances = Circumstances(
            environment=environment,
            stacks=self._stack_order(source.app),
            app=source.app,
            today=datetime.now(UTC).date(),
            config_names=frozenset(config),
            learned=learned,
        )
        plan = choice.language.plan(tree, circumstances)
        for notice in plan.notices:
            output.detail(f"note: {notice}")
        processes = processes_of(tree, plan.default_processes, plan.example)
        facts = read_app_json(tree)
        refuse_lfs_pointers(tree)
        for line in unread(tree, facts, plan):
            output.trouble(line)
        stack = None
        if isinstance(plan, LayeredPlan):
            stack = self._stacks.ensure(plan.stack, output)
            output.detail(f"stack {stack.name}" + (f", {plan.runtime}" if plan.runtime else ""))
        scope = self.caches.scope(app_id)
        ground = Ground(scope, choice.language, stack.run if stack else "")
        return DecidedBuild(
            app_id=app_id,
            key=slug_key(ground, source.tree, environment),
            ground=ground,
            source=source,
            language=choice.language,
            plan=plan,
            stack=stack,
            processes=processes,
            facts=facts,
            environment=environment,
        )

    def _image(self, decided: DecidedBuild, config: Mapping[str, str], job: Job) -> ImageDigest:
        plan, stack = decided.plan, decided.stack
        if isinstance(plan, DockerfilePlan) or stack is None:
            assert isinstance(plan, DockerfilePlan)
            with job.output.step(f"Building {plan.dockerfile}"):
                return self._from_dockerfile(plan, decided, config, job)
        base = str(stack.run)
        if plan.install is not None:
            base = self._dependencies(plan.install, stack, decided, job)
        with job.output.step("Building slug"):
            tag = self._tag("slug", decided.key)
            finish = self._applicable(plan, base)
            return self._layers.assemble(base, tag, decided.labels(), finish, job)

    def _dependencies(self, install: Install, stack: Stack, decided: DecidedBuild, job: Job) -> str:
        """The tag of the dependency layer, made now unless an equal one exists."""
        key = layer_key(decided.ground, install, decided.source.tree, decided.environment)
        tag = self._tag("dependencies", key)
        if self._engine.image(tag) is not None:
            job.output.detail("dependencies have not changed")
            return tag
        labels = {
            ROLE_LABEL: "dependencies",
            OWNER_LABEL: str(decided.app_id),
            DEPENDENCIES_LABEL: key,
        }
        with job.output.step(install.title):
            self._layers.install(install, stack, tag, labels, job)
        return tag

    def _applicable(self, plan: LayeredPlan, base: str) -> list[Finish]:
        image = self._engine.image(base) if plan.finish else None
        packages = image.labels.get(PACKAGES_LABEL, "").split(",") if image else []
        return [step for step in plan.finish if step.needs_package in {"", *packages}]

    def _from_dockerfile(
        self, plan: DockerfilePlan, decided: DecidedBuild, config: Mapping[str, str], job: Job
    ) -> ImageDigest:
        reader = decided.source.reader
        text = text_as_sent(reader, plan.dockerfile)
        tool = self._engine.build_tool()
        refuse_unknown(text, tool)
        listed = listed_for(text, listed_environment(config), tool)
        for notice in listed.notices:
            job.output.detail(f"note: {notice}")
        check_images(text, listed.arguments, self._engine)
        options = BuildOptions(
            labels=decided.labels(),
            arguments=listed.arguments,
            secrets=listed.secrets,
            memory_bytes=self._options.memory_bytes,
            cpus=self._options.cpus,
            timeout_seconds=self._options.timeout_seconds,
            ca_bundle=self._options.ca_bundle,
            scope=decided.ground.scope,
            cached_from=self._slugs_of(decided.app_id),
        )
        tag = self._tag("slug", decided.key)
        building = self.caches.building(decided.app_id)
        with reader.archive() as context, building, clearer_failures(text):
            return self._engine.build(
                context, plan.dockerfile, tag, options, job.output.detail, job.cancellation
            )

    def _slugs_of(self, app_id: int) -> Sequence[ImageDigest]:
        """Images of the app's own former builds."""
        labels = {ROLE_LABEL: "slug", OWNER_LABEL: str(app_id)}
        return [image.id for image in self._engine.images(labels)]

    def _slug_of(self, digest: ImageDigest, decided: DecidedBuild, output: Output) -> Slug:
        image = self._engine.image(digest)
        if image is None:
            raise BackendDown("the slug's image vanished", "push again; is something pruning it?")
        slug = decided.slug(image, datetime.now(UTC))
        for notice in decided.notices(image):
            output.detail(f"note: {notice}")
        return slug

    def _tag(self, kind: str, key: str) -> str:
        """A name that only its app can know: a key is told to nobody, but for a few digits."""
        return f"pushdeploy-{self._engine.instance}/{kind}:{key[:_TAG_DIGITS]}"
