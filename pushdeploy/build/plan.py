"""What a language decides, as values: the builder carries a plan out and decides nothing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from pushdeploy.build.environment import listed_names
from pushdeploy.build.stack_order import StackOrder
from pushdeploy.build.tree import Tree
from pushdeploy.domain.names import WEB, AppName, ProcessType


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a command failed, in one line, and what to type next.

    ``runtime`` tells the language, in its own words, with which one the same is worth a try.
    """

    message: str
    hint: str
    runtime: str = ""


def unexplained(lines: Sequence[str]) -> Cause | None:
    """The last lines of a command of which nothing more is known."""
    del lines
    return None


@dataclass(frozen=True, slots=True)
class Command:
    """A command of a build container: what runs, and how it is shown.

    ``hint`` is what to do when it fails and ``explain`` finds no better one in its last lines.
    """

    arguments: Sequence[str]
    shown: str = ""
    hint: str = ""
    explain: Callable[[Sequence[str]], Cause | None] = unexplained

    def __str__(self) -> str:
        return self.shown or " ".join(self.arguments)


@dataclass(frozen=True, slots=True)
class Install:
    """The dependency layer: shared by every source whose ``files`` are the same.

    ``files`` (path below /app → bytes) are copied first; ``whole_tree`` copies all of the source
    too, and makes the layer the tree's own. The commands run in the build stack; what they leave
    in /opt becomes the layer.
    """

    title: str
    files: Mapping[str, bytes]
    commands: Sequence[Command]
    environment: Mapping[str, str] = field(default_factory=dict)
    whole_tree: bool = False


@dataclass(frozen=True, slots=True)
class Finish:
    """A command that runs in the finished slug; the directory that it names becomes part of it.

    The command leaves ``result_file`` with the absolute path of that directory, or empty.
    ``needs_package`` is a Python package without which the step does not apply; empty where it
    always does.
    """

    title: str
    command: Command
    result_file: str
    needs_package: str = ""


@dataclass(frozen=True, slots=True)
class LayeredPlan:
    """A slug of ours: stack, dependency layer, source, finishing steps."""

    stack: str
    runtime: str = ""
    install: Install | None = None
    finish: Sequence[Finish] = ()
    default_processes: Mapping[ProcessType, str] = field(default_factory=dict)
    example: str = "web: ./server --port $PORT"
    notices: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class DockerfilePlan:
    """An image that the app's own Dockerfile makes."""

    dockerfile: str
    default_processes: Mapping[ProcessType, str] = field(default_factory=lambda: {WEB: ""})
    example: str = "web: ./server --port $PORT"
    notices: Sequence[str] = ()


Plan = LayeredPlan | DockerfilePlan


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a plan may depend on besides the tree.

    ``environment`` holds the config vars that a build may see, ``config_names`` the names of all;
    ``learned`` is the ``runtime`` of the ``Cause`` for which a first try failed.
    """

    environment: Mapping[str, str]
    stacks: StackOrder
    app: AppName
    today: date
    config_names: frozenset[str] = frozenset()
    learned: str = ""

    def config_set(self, *assignments: str) -> str:
        """What to type so that config vars are set."""
        return f"ssh deploy config:set {self.app} {' '.join(assignments)}"

    def let_in(self, name: str, *assignments: str) -> str:
        """What to type so that builds see a config var, with those that they see already."""
        listed = listed_names(self.environment)
        return self.config_set(*assignments, f"BUILD_ENV={','.join(filter(None, [*listed, name]))}")


@dataclass(frozen=True, slots=True)
class Language:
    """Builds one kind of app. The lowest ``order`` that detects a tree builds it.

    ``detect`` returns the file by which it knows the app. A new ``version`` makes new slugs and
    new dependency layers; ``wants`` tells a person what it looks for.
    """

    name: str
    order: int
    version: str
    wants: str
    detect: Callable[[Tree], str | None]
    plan: Callable[[Tree, Circumstances], Plan]
