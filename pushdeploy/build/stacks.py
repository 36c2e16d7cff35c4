"""A stack has two images, run and build: pulled where a registry answers, else bootstrapped."""

import fcntl
import socket
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pushdeploy.build.bootstrap import bootstrap, host_mirrors, unpacked
from pushdeploy.build.containers import run_to_end, temporary
from pushdeploy.build.language import Language, load_languages
from pushdeploy.build.progress import Progress
from pushdeploy.build.stack_definitions import (
    EXCLUDED_PATHS,
    FIRST,
    StackDefinition,
    stack_definitions,
)
from pushdeploy.build.stack_order import NEWEST
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.capabilities import ORDINARY
from pushdeploy.domain.container import ContainerSpec, ImageChange
from pushdeploy.domain.errors import BackendDown, UserError
from pushdeploy.domain.names import ImageDigest
from pushdeploy.domain.ports.engine import Engine
from pushdeploy.domain.ports.output import Output
from pushdeploy.instance import Home
from pushdeploy.settings import Settings

_REGISTRY = ("registry-1.docker.io", 443)
_PROBE_SECONDS = 3
_APT_TIMEOUT_SECONDS = 1800
_APT = "apt-get -q update && apt-get -q install -y --no-install-recommends"
_NOT_AN_INSTANCE = {"pushdeploy.instance": "", "pushdeploy.role": "stack"}


@dataclass(frozen=True, slots=True)
class Stack:
    """``run`` is what slugs are made of; ``build`` is the same with compilers."""

    name: str
    run: ImageDigest
    build: ImageDigest


class Stacks:
    """Makes stacks when they are first needed; all instances of one engine share them.

    ``source`` is "pull", "bootstrap" or "auto"; ``cache`` keeps what was bootstrapped;
    ``languages`` say what stacks have of them.
    """

    def __init__(
        self,
        engine: Engine,
        source: str,
        cache: Path,
        ca_bundle: Path | None,
        languages: Sequence[Language],
    ) -> None:
        self._engine = engine
        self._source = source
        self._cache = cache
        self._ca_bundle = ca_bundle
        self.languages = languages
        self.definitions = stack_definitions(languages)

    def definition(self, name: str) -> StackDefinition:
        """Raise ``UserError`` for a stack that does not exist."""
        if name not in self.definitions:
            known = ", ".join(self.definitions)
            raise UserError(f"there is no stack {name}", f"there are: {known}")
        return self.definitions[name]

    def ready(self, name: str) -> bool:
        """Tell whether ``ensure`` would return at once."""
        return self._found(self.definition(name)) is not None

    def prepare(self, name: str, output: Output) -> None:
        """``ensure``, of a first one where NEWEST is wanted; tells of the others there could be."""
        self.ensure(FIRST if name == NEWEST else name, output)
        for stack, definition in self.definitions.items():
            if self.ready(stack):
                output.detail(f"stack {stack} ({definition}) is ready")
            else:
                output.detail(
                    f"for {definition}, before a push waits minutes for it:"
                    f"  pushdeploy stack:prepare {stack}"
                )

    def ensure(self, name: str, output: Output) -> Stack:
        """The stack, made now when it is not there: that takes a minute or two, once.

        ``BackendDown`` names the tool, the mirror or the registry that is missing.
        """
        stack = self.definition(name)
        found = self._found(stack)
        if found is not None:
            return found
        output.detail(
            f"stack {name} is not there yet: it is made now, once, in about 4 minutes, of 700 MB"
        )
        with self._lock(stack, output):
            self._make(stack, output)
        found = self._found(stack)
        if found is None:
            raise BackendDown(f"stack {name} vanished", "try again; is something pruning Docker?")
        return found

    def _found(self, stack: StackDefinition) -> Stack | None:
        run = self._engine.image(stack.run_tag)
        build = self._engine.image(stack.build_tag)
        if run is None or build is None:
            return None
        return Stack(stack.name, run.id, build.id)

    def _make(self, stack: StackDefinition, output: Output) -> None:
        if self._engine.image(stack.run_tag) is None:
            if self._pulls(stack, output):
                self._pull(stack, output)
            else:
                self._bootstrap(stack, output)
        if self._engine.image(stack.build_tag) is None:
            packages = " ".join(stack.build_packages)
            with output.step(f"Adding compilers to stack {stack.name}"):
                self._derive(stack, stack.run_tag, stack.build_tag, _build_script(packages), output)

    def _pulls(self, stack: StackDefinition, output: Output) -> bool:
        if self._source != "auto":
            return self._source == "pull"
        if self._engine.image(stack.upstream) is not None:
            output.detail(f"stack {stack.name}: {stack.upstream} is here already")
            return True
        answers = _registry_answers()
        choice = "is pulled" if answers else "is bootstrapped, for no image registry answers"
        output.detail(f"stack {stack.name}: {stack.upstream} {choice}")
        return answers

    def _pull(self, stack: StackDefinition, output: Output) -> None:
        with output.step(f"Pulling {stack.upstream} for stack {stack.name}"):
            if self._engine.image(stack.upstream) is None:
                self._engine.pull(stack.upstream)
            script = f"{_APT} {' '.join(stack.run_packages)}\n{_clean()}{stack.script}"
            self._derive(stack, stack.upstream, stack.run_tag, script, output)

    def _bootstrap(self, stack: StackDefinition, output: Output) -> None:
        archive = self._cache / f"{stack.name}-{stack.key}.tar.zst"
        if not archive.exists():
            with output.step(f"Bootstrapping stack {stack.name} from Debian's packages"):
                bootstrap(stack, host_mirrors(), archive, Progress(output).hear)
        with output.step(f"Importing stack {stack.name}"), unpacked(archive) as tar:
            self._engine.import_image(tar, stack.run_tag, _change(stack))

    def _derive(
        self, stack: StackDefinition, base: str, tag: str, script: str, output: Output
    ) -> None:
        """Run ``script`` as root in a container of ``base`` and commit it."""
        spec = ContainerSpec(
            image=base,
            name=f"pushdeploy-stack-{stack.name}-{uuid.uuid4().hex[:8]}",
            labels={"pushdeploy.role": "build"},
            command=["sh", "-ec", f"export DEBIAN_FRONTEND=noninteractive\n{script}"],
            user="0:0",
            capabilities=ORDINARY,
        )
        with temporary(self._engine, spec) as container:
            ending = run_to_end(
                self._engine, container, Progress(output).hear, _APT_TIMEOUT_SECONDS, Cancellation()
            )
            if ending.exit_code:
                for line in ending.tail:
                    output.detail(line)
                raise BackendDown(
                    f"stack {stack.name} cannot be made: apt-get failed with {ending.exit_code}",
                    "do containers reach the Debian mirror? then try again",
                )
            self._engine.commit(container, tag, _change(stack))

    @contextmanager
    def _lock(self, stack: StackDefinition, output: Output) -> Iterator[None]:
        """One maker at a time, among all the processes that use this cache."""
        self._cache.mkdir(parents=True, exist_ok=True)
        with (self._cache / f"{stack.name}.lock").open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                output.detail(f"stack {stack.name} is being made by somebody else: waiting")
                fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _change(stack: StackDefinition) -> ImageChange:
    labels = {**_NOT_AN_INSTANCE, "pushdeploy.stack": stack.name}
    return ImageChange(labels, stack.environment, working_dir="/app")


def _build_script(packages: str) -> str:
    return f"{_APT} {packages}\n{_clean()}install -d -o 1000 -g 1000 /opt\n"


def _clean() -> str:
    excluded = " ".join(EXCLUDED_PATHS)
    return f"apt-get clean\nrm -rf /var/lib/apt/lists/* {excluded}\n"


def _registry_answers() -> bool:
    try:
        socket.create_connection(_REGISTRY, _PROBE_SECONDS).close()
    except OSError:
        return False
    return True


def stacks_of(engine: Engine, settings: Settings, place: Path | None = None) -> Stacks:
    """The stacks of the languages that are installed. One that is bootstrapped is kept in
    ``place``, or in the home's cache."""
    kept = place or Home(settings.home).cache / "stacks"
    return Stacks(engine, settings.stack_source, kept, settings.ca_bundle, load_languages())
