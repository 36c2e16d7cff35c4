"""Trees in memory for what decides, a real engine and real repositories for what builds."""

import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import pytest

from pushdeploy.build.builder import SlugBuilder
from pushdeploy.build.containers import BuildSettings
from pushdeploy.build.language import Circumstances, load_languages
from pushdeploy.build.plan import Install, LayeredPlan
from pushdeploy.build.stack_definitions import stack_definitions
from pushdeploy.build.stack_order import NEWEST, StackOrder
from pushdeploy.build.stacks import Stacks
from pushdeploy.build.tree import Tree
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import BackendDown
from pushdeploy.domain.names import AppName, CommitId, TreeId
from pushdeploy.domain.release import Release
from pushdeploy.domain.slug import Slug
from pushdeploy.domain.source import Source, TreeEntry
from pushdeploy.engine.docker import DockerEngine
from pushdeploy.output import Output, Quiet
from pushdeploy.receive.git import Git
from pushdeploy.receive.source import GitSource

APPS = Path(__file__).resolve().parents[2] / "apps"


@dataclass(frozen=True, slots=True)
class FilesInMemory:
    """A ``SourceReader`` of files given as text or bytes."""

    files: Mapping[str, str | bytes]
    links: frozenset[str] = frozenset()
    """Those of the files that are symbolic links."""

    def entries(self) -> Sequence[TreeEntry]:
        return [
            TreeEntry(0o120000 if path in self.links else 0o100644, "0" * 40, len(data), path)
            for path, data in sorted(self.files.items())
        ]

    def read(self, path: str) -> bytes | None:
        data = self.files.get(path)
        return data.encode() if isinstance(data, str) else data

    @contextmanager
    def archive(self, paths: Iterable[str] = ()) -> Iterator[BinaryIO]:
        yield BytesIO()

    def descends_from(self, commit: CommitId) -> bool:
        return False

    def keep(self) -> None: ...


LANGUAGES = load_languages()
(PYTHON,) = [each for each in LANGUAGES if each.name == "python"]
SEEN = [each.variables.seen for each in LANGUAGES]
BOOKWORM = stack_definitions(LANGUAGES)["bookworm"]
STACKS = StackOrder(("bookworm", "trixie"), frozenset({"bookworm"}), NEWEST)
"""What is there after bin/setup."""


def circumstances(
    environment: Mapping[str, str] | None = None,
    stacks: StackOrder = STACKS,
    names: Iterable[str] = (),
    learned: str = "",
) -> Circumstances:
    """Of an app called shop."""
    return Circumstances(
        environment or {}, stacks, AppName("shop"), date(2026, 11, 28), frozenset(names), learned
    )


MakeTree = Callable[[Mapping[str, str | bytes]], Tree]


def plan(
    tree_of: MakeTree, files: Mapping[str, str | bytes], environment: Mapping[str, str]
) -> LayeredPlan:
    """Of a Python app."""
    made = PYTHON.plan(tree_of(files), circumstances(environment))
    assert isinstance(made, LayeredPlan)
    return made


def install(tree_of: MakeTree, files: Mapping[str, str | bytes]) -> Install:
    made = plan(tree_of, files, {}).install
    assert made is not None
    return made


@pytest.fixture
def tree_of() -> MakeTree:
    return lambda files: Tree.of(FilesInMemory(files))


@dataclass(slots=True)
class Clone:
    """A git repository that somebody would push."""

    path: Path
    app: str

    def git(self, *words: str) -> str:
        command = ["git", "-c", "user.name=T", "-c", "user.email=t@example.com", *words]
        return subprocess.run(
            command, cwd=self.path, check=True, capture_output=True, text=True
        ).stdout.strip()

    def commit(self, files: Mapping[str, str | None]) -> Source:
        """Write (or, with None, delete) files and commit them."""
        for name, text in files.items():
            path = self.path / name
            if text is None:
                path.unlink()
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "change")
        return self.source()

    def source(self) -> Source:
        commit = CommitId(self.git("rev-parse", "HEAD"))
        reader = GitSource(Git(self.path / ".git"), commit, lambda: None)
        return Source(
            AppName(self.app), commit, TreeId(self.git("rev-parse", "HEAD^{tree}")), reader
        )


MakeClone = Callable[..., Clone]


@pytest.fixture
def clone(tmp_path: Path) -> MakeClone:
    """``clone("hello")`` of tests/apps, or ``clone()`` of nothing."""

    def make(app: str | None = None) -> Clone:
        path = tmp_path / secrets.token_hex(4)
        if app:
            shutil.copytree(APPS / app, path)
        else:
            path.mkdir()
        made = Clone(path, app or "app")
        made.git("init", "-q", "-b", "main")
        made.commit({})
        return made

    return make


@dataclass(slots=True)
class SlugsInMemory:
    """The part of the store that a builder needs."""

    slugs: dict[str, Slug] = field(default_factory=dict)

    def find(self, key: str) -> Slug | None:
        return self.slugs.get(key)

    def add(self, slug: Slug) -> None:
        self.slugs[slug.key] = slug


@dataclass(slots=True)
class LiveInMemory:
    """The live releases that a builder asks for."""

    releases: dict[AppName, Release] = field(default_factory=dict)

    def current(self, app: AppName) -> Release | None:
        return self.releases.get(app)


@pytest.fixture(scope="session")
def engine() -> Iterator[DockerEngine]:
    """A real engine with an instance of its own; what it made is removed at the end."""
    engine = DockerEngine(f"test{secrets.token_hex(4)}")
    try:
        engine.version()
    except BackendDown as error:
        if os.environ.get("PUSHDEPLOY_REQUIRE_DOCKER") == "1":
            raise
        pytest.skip(error.message)
    yield engine
    for container in engine.containers({}):
        engine.remove(container.id)
    for role in ("slug", "dependencies"):
        for image in engine.images({"pushdeploy.role": role}):
            engine.remove_image(image.id)
    engine.remove_network()


@pytest.fixture(scope="session")
def ca_bundle() -> Path | None:
    """Builds trust what the tests' own machine trusts."""
    name = os.environ.get("PUSHDEPLOY_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE")
    return Path(name) if name else None


@pytest.fixture(scope="session")
def stacks(engine: DockerEngine, tmp_path_factory: pytest.TempPathFactory) -> Stacks:
    """Made once on an engine that has none yet: that takes half a minute."""
    made = Stacks(engine, "auto", tmp_path_factory.mktemp("stacks"), None, LANGUAGES)
    made.ensure("bookworm", Quiet())
    return made


@pytest.fixture(scope="session")
def build_settings(
    tmp_path_factory: pytest.TempPathFactory, ca_bundle: Path | None
) -> BuildSettings:
    """Whatever other stacks this machine has."""
    cache = tmp_path_factory.mktemp("cache")
    return BuildSettings(cache=cache, stack="bookworm", ca_bundle=ca_bundle)


@dataclass(slots=True)
class Bench:
    """A builder, and what it said last."""

    builder: SlugBuilder
    slugs: SlugsInMemory
    live: LiveInMemory
    lines: list[str] = field(default_factory=list)

    def build(
        self,
        source: Source,
        config: Mapping[str, str] | None = None,
        cancellation: Cancellation | None = None,
        app_id: int = 1,
    ) -> Slug:
        self.lines.clear()
        output = Output(self.lines.append)
        cancellation = cancellation or Cancellation()
        return self.builder.build(source, app_id, config or {}, output, cancellation)

    @property
    def said(self) -> str:
        return "\n".join(self.lines)


@pytest.fixture
def bench(engine: DockerEngine, stacks: Stacks, build_settings: BuildSettings) -> Bench:
    return bench_of(engine, stacks, build_settings)


def bench_of(engine: DockerEngine, stacks: Stacks, settings: BuildSettings) -> Bench:
    slugs, live = SlugsInMemory(), LiveInMemory()
    return Bench(SlugBuilder(engine, stacks, slugs, live, settings), slugs, live)
