"""Source → Slug: what an equal build made is reused; all else is built, in layers or whole."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol

from pushdeploy.build.assembly import Assembly, WantedSlug
from pushdeploy.build.caches import AppCaches, remove_shared
from pushdeploy.build.containers import OWNER_LABEL, ROLE_LABEL, BuildSettings, WrongRuntime
from pushdeploy.build.decided_build import DecidedBuild
from pushdeploy.build.deciding import Decider, LiveReleases
from pushdeploy.build.dependency_layers import PACKAGES_LABEL, DependencyLayers, WantedLayer
from pushdeploy.build.execution import Executor, Underway
from pushdeploy.build.keys import layer_key
from pushdeploy.build.own_image import OwnImagePlan, WantedImage
from pushdeploy.build.plan import Finish, LayeredPlan
from pushdeploy.build.stacks import Stack, Stacks
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import BackendDown
from pushdeploy.domain.names import ImageDigest
from pushdeploy.domain.ports.engine import Engine
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.slug import Slug
from pushdeploy.domain.source import Source

_TAG_DIGITS = 32


class SlugStore(Protocol):
    """Slugs are remembered by their keys."""

    def find(self, key: str) -> Slug | None: ...
    def add(self, slug: Slug) -> None:
        """Replaces one with the same key: its image had gone."""


class SlugBuilder:
    """Fulfils the port ``Builder`` with the languages that the stacks were given."""

    def __init__(
        self,
        engine: Engine,
        stacks: Stacks,
        slugs: SlugStore,
        live: LiveReleases,
        options: BuildSettings,
    ) -> None:
        self._engine = engine
        self._slugs = slugs
        self._options = options
        self._languages = stacks.languages
        self.caches = AppCaches.below(options.cache)
        self._decider = Decider(self._languages, stacks, live, self.caches, options.stack)
        executor = Executor(engine, options)
        self._dependency_layers = DependencyLayers(executor, self.caches)
        self._assembly = Assembly(executor)

    def sweep(self) -> None:
        """Remove the build containers that a killed server left, and what builds once shared."""
        names = (name for each in self._languages for name in each.tools.caches.values())
        remove_shared(self._options.cache, names)
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
            decided = self._decider.decide(source, app_id, config, learned, output)
            try:
                return self._built(decided, config, output, cancellation)
            except WrongRuntime as error:
                if learned:
                    raise
                output.detail(f"{error.message}: trying another")
                learned = error.learned

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
        source = decided.source
        underway = Underway(
            source=source,
            app_id=decided.app_id,
            labels={"pushdeploy.app": source.app, "pushdeploy.commit": source.commit},
            environment=decided.environment,
            output=output,
            cancellation=cancellation,
            deadline=time.monotonic() + self._options.timeout_seconds,
        )
        slug = self._slug_of(self._image(decided, config, underway), decided, output)
        self._slugs.add(slug)
        return slug

    def _image(
        self, decided: DecidedBuild, config: Mapping[str, str], underway: Underway
    ) -> ImageDigest:
        if decided.stack is not None:
            return self._layered(decided, decided.stack, underway)
        plan = decided.parts[-1].plan
        assert isinstance(plan, OwnImagePlan)
        wanted = WantedImage(
            tag=self._tag("slug", decided.key),
            labels=decided.labels(),
            config=config,
            scope=decided.key_prefix.scope,
            cached_from=self._slugs_of(decided.app_id),
        )
        with underway.output.step(plan.title), self.caches.building(decided.app_id):
            return plan.make(wanted, self._engine, self._options, underway)

    def _layered(self, decided: DecidedBuild, stack: Stack, underway: Underway) -> ImageDigest:
        """The dependency layers of all languages, one upon the other, and the slug upon them."""
        base, prefix = str(stack.run), decided.key_prefix
        steps: list[Finish] = []
        for language, plan in decided.layered():
            if plan.install is not None:
                own = replace(prefix, languages=[language], publishing="")
                key = layer_key(own, plan.install, decided.source.tree, decided.environment)
                tag = self._tag("dependencies", key)
                wanted = WantedLayer(language, plan.install, stack.build, base, tag, key)
                self._dependency_layers.ensure(wanted, underway)
                base, prefix = tag, replace(prefix, base=key)
            steps += self._applicable(plan, base)
        with underway.output.step("Building slug"):
            wanted_slug = self._wanted_slug(decided, base, steps)
            if decided.is_only_a_folder:
                wanted_slug = replace(wanted_slug, alone=str(stack.run))
            return self._assembly.make(wanted_slug, underway)

    def _wanted_slug(self, decided: DecidedBuild, base: str, steps: Sequence[Finish]) -> WantedSlug:
        tools = [part.language.tools for part in decided.parts]
        return WantedSlug(
            base=base,
            tag=self._tag("slug", decided.key),
            labels=decided.labels(),
            environment=decided.slug_environment(),
            steps=steps,
            certificates=[name for each in tools for name in each.certificates],
        )

    def _applicable(self, plan: LayeredPlan, base: str) -> Sequence[Finish]:
        """The finishing steps of a language whose dependencies have what they need."""
        image = self._engine.image(base) if plan.finish else None
        packages = image.labels.get(PACKAGES_LABEL, "").split(",") if image else []
        return [step for step in plan.finish if step.needs_package in {"", *packages}]

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
