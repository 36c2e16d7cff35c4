"""Dependencies are installed where compilers are, and carried over into a layer without them."""

from dataclasses import dataclass

from pushdeploy.build.archives import DEPENDENCY_PATCH, SOURCE_PATCH, Directory, content
from pushdeploy.build.caches import AppCaches
from pushdeploy.build.containers import (
    OWNER_LABEL,
    ROLE_LABEL,
    Sandbox,
    assembly_container,
    build_container,
    temporary,
)
from pushdeploy.build.environment import certificates
from pushdeploy.build.execution import Executor, Underway, script
from pushdeploy.build.language import Language
from pushdeploy.build.plan import Install
from pushdeploy.build.tarpatch import tar_of
from pushdeploy.domain.container import ImageChange

DEPENDENCIES_LABEL = "pushdeploy.dependencies"
"""The key of a dependency layer: on the layer, and on every slug that stands on it."""

PACKAGES_LABEL = "pushdeploy.packages"
"""Those of the language's watched packages that a layer has."""

_CACHES = "/var/cache/pushdeploy"


@dataclass(frozen=True, slots=True)
class WantedLayer:
    """``build`` is the image in which the commands run, ``base`` the one that gets the layer."""

    language: Language
    install: Install
    build: str
    base: str
    tag: str
    key: str


@dataclass(frozen=True, slots=True)
class DependencyLayers:
    """Makes dependency layers; ``caches`` keep what tools download for the next one."""

    executor: Executor
    caches: AppCaches

    def ensure(self, wanted: WantedLayer, underway: Underway) -> None:
        """Make a dependency layer, unless an equal one exists."""
        if self.executor.engine.image(wanted.tag) is not None:
            underway.output.detail("dependencies have not changed")
            return
        with underway.output.step(wanted.install.title):
            self._make(wanted, underway)

    def _make(self, wanted: WantedLayer, underway: Underway) -> None:
        """Run the commands in the build stack; what they leave becomes a layer of ``base``.

        The container with the build's environment is never committed: a commit would keep it.
        """
        engine, install = self.executor.engine, wanted.install
        spec = build_container(
            wanted.build,
            script(install.commands),
            self._sandbox(wanted, underway),
            self.executor.settings,
            engine.instance,
        )
        with temporary(engine, spec) as container:
            if install.whole_tree:
                engine.put_archive(container, "/", content(engine, underway.source, []))
            files = tar_of(sorted(install.files.items()), SOURCE_PATCH)
            engine.put_archive(container, "/", [files])
            self.executor.execute(container, install.commands, underway)
            self._carry(container, wanted, underway.app_id)

    def _sandbox(self, wanted: WantedLayer, underway: Underway) -> Sandbox:
        tools = wanted.language.tools
        trust, bundle = certificates(self.executor.settings.ca_bundle, tools.certificates)
        caches = {name: f"{_CACHES}/{name}" for name in tools.caches.values()}
        programs = [(here, there) for there, here in tools.programs().items()]
        return Sandbox(
            underway.labels,
            {
                **trust,
                **tools.environment(underway.environment),
                **wanted.install.environment,
                **{variable: caches[name] for variable, name in tools.caches.items()},
            },
            mounts=[
                (str(self.caches.directory(underway.app_id, name)), path)
                for name, path in caches.items()
            ],
            read_only_mounts=[*programs, *bundle],
        )

    def _carry(self, container: str, wanted: WantedLayer, app_id: int) -> None:
        engine, watched = self.executor.engine, wanted.language.watched
        packages: set[str] = set()

        def see(name: str) -> None:
            packages.update(each for each, pattern in watched.items() if pattern.search(name))

        with temporary(engine, assembly_container(wanted.base, engine.instance)) as fresh:
            made = [
                Directory(container, path, DEPENDENCY_PATCH) for path in wanted.install.directories
            ]
            engine.put_archive(fresh, "/", content(engine, None, made, see))
            labels = {
                ROLE_LABEL: "dependencies",
                OWNER_LABEL: str(app_id),
                DEPENDENCIES_LABEL: wanted.key,
                PACKAGES_LABEL: ",".join(sorted(packages)),
            }
            engine.commit(fresh, wanted.tag, ImageChange(labels))
