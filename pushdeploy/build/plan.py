"""A language decides in values what is done for an app; what carries them out decides nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pushdeploy.domain.names import ProcessType


@dataclass(frozen=True, slots=True)
class Failure:
    """``message`` says in one line why a build failed, ``hint`` what to type next.

    ``runtime`` tells the language, in its own words, with which one the same is worth a try.
    """

    message: str
    hint: str
    runtime: str = ""


def unexplained(lines: Sequence[str]) -> Failure | None:
    """The last lines of a command of which nothing more is known."""
    del lines
    return None


@dataclass(frozen=True, slots=True)
class BuildCommand:
    """A command runs in a build container, and may be shown in other words.

    ``hint`` is what to do when it fails and ``explain`` finds no better one in its last lines.
    """

    arguments: Sequence[str]
    shown: str = ""
    hint: str = ""
    explain: Callable[[Sequence[str]], Failure | None] = unexplained

    def __str__(self) -> str:
        return self.shown or " ".join(self.arguments)


@dataclass(frozen=True, slots=True)
class Install:
    """A dependency layer is shared by all sources of an app whose ``files`` are the same.

    ``files`` (path below /app → bytes) are copied first; ``whole_tree`` copies all of the source
    too, and makes the layer the tree's own. The commands run in the build stack, where they bring
    a runtime along that no stack has; what they leave in ``directories`` becomes the layer.
    """

    title: str
    files: Mapping[str, bytes]
    commands: Sequence[BuildCommand]
    directories: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    whole_tree: bool = False


@dataclass(frozen=True, slots=True)
class Finish:
    """A command runs in the finished slug; the directory that it names becomes part of it.

    The command leaves ``result_file`` with the absolute path of that directory, or empty.
    ``needs_package`` is one of the language's watched packages, without which the step does not
    apply; empty where it always does.
    """

    title: str
    command: BuildCommand
    result_file: str
    needs_package: str = ""


@dataclass(frozen=True, slots=True)
class Publication:
    """A folder of the app is what its visitors get, without a process.

    ``folder`` is relative to /app, empty for all of it; ``why`` names what chose it. ``command``
    makes it in the finished slug, whatever the language; empty where it lies in the source.
    """

    folder: str
    why: str
    command: str = ""

    def __str__(self) -> str:
        made = f", made by {self.command}" if self.command else ""
        return f"{self.shown} ({self.why}{made})"

    @property
    def shown(self) -> str:
        return f"{self.folder}/" if self.folder else "the top directory"


@dataclass(frozen=True, slots=True)
class LayeredPlan:
    """A slug of ours is a stack, a dependency layer, the source, and what finishing steps add.

    ``environment`` is the slug's, and ``paths`` stand in front of its PATH. ``publishes`` makes a
    static site of it, of any language: build/publishing.py.
    """

    stack: str
    runtime: str = ""
    install: Install | None = None
    finish: Sequence[Finish] = ()
    paths: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    default_processes: Mapping[ProcessType, str] = field(default_factory=dict)
    example: str = "web: ./server --port $PORT"
    notices: Sequence[str] = ()
    publishes: Publication | None = None
