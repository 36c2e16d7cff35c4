"""The layers of a slug: dependencies installed apart and carried over, source put on top."""

import re
import shlex
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from posixpath import dirname, normpath

from uv import find_uv_bin

from pushdeploy.build.containers import (
    APP_IDS,
    APP_USER,
    BuildSettings,
    Sandbox,
    assembly_container,
    build_container,
    remove_aside,
    run_to_end,
    temporary,
)
from pushdeploy.build.environment import certificates, for_uv
from pushdeploy.build.plan import Command, Finish, Install
from pushdeploy.build.stacks import Stack
from pushdeploy.build.tarpatch import (
    END,
    ChunkReader,
    TarPatch,
    first_file,
    members,
    patched,
    tar_of,
)
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.container import ContainerSpec, ImageChange
from pushdeploy.domain.hiding import secret_values
from pushdeploy.domain.names import ImageDigest
from pushdeploy.domain.ports.engine import Engine
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.shell import watched
from pushdeploy.domain.source import Source

PACKAGES_LABEL = "pushdeploy.packages"
_CACHE_PATH = "/var/cache/pushdeploy"
_RESULT = "/opt"
_WATCHED = frozenset({"django"})
_PACKAGE = re.compile(r"/site-packages/([^/]+)/__init__\.py$")

SOURCE_PATCH = TarPatch(*APP_IDS, 0o2775, 0o664, 0o775, prefix="app/")
"""Files of an app: its uid is not known yet, so its group may write."""

_STATIC_PATCH = TarPatch(*APP_IDS, 0o2775, 0o664, 0o775)
_DEPENDENCY_PATCH = TarPatch(0, 0, 0o755, 0o644, 0o755)


_MARK = "\x1e"
_MOST_RESULT_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Job:
    """One build under way: what all of its containers have in common.

    ``environment`` is for containers that run the app's code, never for images; ``downloads`` is
    the app's own directory for them; ``deadline`` is a time of ``time.monotonic``.
    """

    source: Source
    downloads: Path
    labels: Mapping[str, str]
    environment: Mapping[str, str]
    output: Output
    cancellation: Cancellation
    deadline: float


class Layers:
    """Makes layers with the engine; each method cleans up after itself."""

    def __init__(self, engine: Engine, settings: BuildSettings) -> None:
        self._engine = engine
        self._settings = settings

    def install(
        self, install: Install, stack: Stack, tag: str, labels: Mapping[str, str], job: Job
    ) -> ImageDigest:
        """Run the commands in the build stack; what they leave in /opt goes on the run stack.

        The container with the build's environment is never committed: a commit would keep it.
        """
        sandbox = self._install_sandbox(install, job)
        spec = self._container(stack.build, _script(install.commands), sandbox)
        with temporary(self._engine, spec) as container:
            if install.whole_tree:
                self._put_source(container, job)
            self._engine.put_archive(
                container, "/", [tar_of(sorted(install.files.items()), SOURCE_PATCH)]
            )
            self._run(container, install.commands, job)
            return self._carry(container, stack, tag, labels)

    def assemble(
        self, base: str, tag: str, labels: Mapping[str, str], finish: Sequence[Finish], job: Job
    ) -> ImageDigest:
        """The source on top of ``base``, with what the finishing steps add, as one layer.

        Docker gets all of it in one archive: for each that it unpacks it starts itself anew.
        """
        with ExitStack() as containers:
            made = [
                found for step in finish if (found := self._finish(base, step, containers, job))
            ]
            spec = assembly_container(base, self._engine.instance)
            container = containers.enter_context(temporary(self._engine, spec))
            self._engine.put_archive(container, "/", self._content(made, job))
            job.cancellation.check()
            change = ImageChange(labels, working_dir="/app", user=APP_USER)
            with job.output.step("Writing the slug"):
                slug = self._engine.commit(container, tag, change)
            remove_aside(containers.pop_all())
            return slug

    def _container(self, image: str, command: Sequence[str], sandbox: Sandbox) -> ContainerSpec:
        return build_container(image, command, sandbox, self._settings, self._engine.instance)

    def _install_sandbox(self, install: Install, job: Job) -> Sandbox:
        trust, bundle = certificates(self._settings.ca_bundle)
        environment = {**trust, **for_uv(job.environment), **install.environment}
        return Sandbox(
            job.labels,
            {**environment, "UV_CACHE_DIR": _CACHE_PATH},
            mounts=[(str(job.downloads), _CACHE_PATH)],
            read_only_mounts=[(find_uv_bin(), "/usr/local/bin/uv"), *bundle],
        )

    def _put_source(self, container: str, job: Job) -> None:
        with job.source.reader.archive() as tar:
            self._engine.put_archive(container, "/", patched(tar, SOURCE_PATCH))

    def _run(self, container: str, commands: Sequence[Command], job: Job) -> None:
        """Show each command and what it says; ``BuildFailed`` names the one that failed."""
        running = commands[0]
        marks = {f"{_MARK}{index}": command for index, command in enumerate(commands)}

        def line(text: str) -> bool:
            nonlocal running
            if text in marks:
                running = marks[text]
                job.output.detail(f"$ {running}")
                return False
            job.output.detail(text)
            return True

        left = max(1.0, job.deadline - time.monotonic())
        hidden = secret_values(job.environment)
        ending = run_to_end(self._engine, container, line, left, job.cancellation, hidden)
        ending.require_success(running, self._settings.timeout_seconds)

    def _carry(
        self, container: str, stack: Stack, tag: str, labels: Mapping[str, str]
    ) -> ImageDigest:
        """Move /opt of a build container into an image of the run stack."""
        packages: set[str] = set()

        def see(name: str) -> None:
            match = _PACKAGE.search(name)
            if match:
                packages.add(match.group(1))

        spec = assembly_container(stack.run, self._engine.instance)
        with temporary(self._engine, spec) as fresh:
            with self._engine.get_archive(container, _RESULT) as chunks:
                layer = patched(ChunkReader(chunks), _DEPENDENCY_PATCH, see)
                self._engine.put_archive(fresh, "/", layer)
            found = {**labels, PACKAGES_LABEL: ",".join(sorted(packages & _WATCHED))}
            return self._engine.commit(fresh, tag, ImageChange(found))

    def _finish(self, base: str, step: Finish, containers: ExitStack, job: Job) -> "_Made | None":
        """Run a step in a container like the slug, which stays until ``containers`` are closed."""
        trust, bundle = certificates(self._settings.ca_bundle)
        sandbox = Sandbox(job.labels, {**trust, **job.environment}, read_only_mounts=bundle)
        spec = self._container(base, watched(step.command.arguments), sandbox)
        with job.output.step(step.title):
            container = containers.enter_context(temporary(self._engine, spec))
            self._put_source(container, job)
            self._run(container, [step.command], job)
            directory = self._read(container, step.result_file)
        return _Made(container, normpath(f"/{directory}")) if directory else None

    def _content(self, made: Sequence["_Made"], job: Job) -> Iterator[bytes]:
        """The archive of a slug's layer."""
        with job.source.reader.archive() as tar:
            yield from members(tar, SOURCE_PATCH)
        for each in made:
            with self._engine.get_archive(each.container, each.directory) as chunks:
                yield from members(ChunkReader(chunks), each.patch)
        yield END

    def _read(self, container: str, path: str) -> str:
        with self._engine.get_archive(container, path) as chunks:
            data = first_file(ChunkReader(chunks), _MOST_RESULT_BYTES)
        return data.decode()


@dataclass(frozen=True, slots=True)
class _Made:
    """A directory, by its absolute path, that a finishing step has left in its container."""

    container: str
    directory: str

    @property
    def patch(self) -> TarPatch:
        """Puts it into the same place of a slug."""
        parent = dirname(self.directory).strip("/")
        return replace(_STATIC_PATCH, prefix=f"{parent}/" if parent else "")


def _script(commands: Sequence[Command]) -> Sequence[str]:
    """One shell script that marks where each command begins and ends with the first failure."""
    lines = [
        f"printf '\\036{index}\\n'; {shlex.join(command.arguments)}"
        for index, command in enumerate(commands)
    ]
    return ["sh", "-ec", "\n".join(lines)]
