"""What our code overrides and reaches into of libraries is listed, and each is as the list says.

A library may rename a hook of its own in any version. Our override would then never be called, and
no other test might notice: a limit for strangers would be gone. A later version may also take a
name that a class of ours has already. So this test finds all such names in the code and in the
installed libraries, and compares them with tests/private_parts.txt, which people have read.
"""

import ast
import configparser
import difflib
import functools
import importlib
import inspect
import pkgutil
import re
import textwrap
from collections import defaultdict
from collections.abc import Iterator, Mapping, Set
from pathlib import Path
from types import ModuleType

import pytest
from paramiko.channel import Channel

import pushdeploy
from pushdeploy.ssh.buffer import Buffer

LIBRARIES = {"click", "docker", "dulwich", "paramiko", "requests"}
OWNERS = ("commands", "engine", "receive", "ssh")

RELIED_ON = (Path(__file__).parent / "private_parts.txt").read_text().splitlines()
"""Each name has its parameters behind it, unless it is a value.

Where the test fails after an upgrade: read what our code does with the name, and mend that first.
"""


@pytest.mark.slow
def test_what_we_override_or_reach_into_is_there_as_we_know_it() -> None:
    found = listed(found_in(modules()))
    if found != RELIED_ON:
        differences = difflib.unified_diff(RELIED_ON, found, "the list", "found", lineterm="")
        pytest.fail("\n".join(differences), pytrace=False)


def test_a_library_whose_private_parts_we_rely_on_has_an_upper_bound() -> None:
    setup = configparser.ConfigParser()
    setup.read(Path(__file__).resolve().parent.parent / "setup.cfg")
    wanted = [line for line in setup["options"]["install_requires"].splitlines() if line]
    for library in {"paramiko", "dulwich"} | with_private_parts(found_in(modules())):
        assert [line for line in wanted if re.match(rf"{library}>=[\d.]+,<\d", line)], library


def test_no_private_name_is_reached_into_that_nobody_can_tell_the_owner_of() -> None:
    assert [each for module in modules() for each in Uses.of(module).unknown] == []


def test_what_paramiko_asks_of_its_buffers_ours_can_do() -> None:
    """``set_event`` is for ``fileno``, ``empty`` for putting two streams into one: never called."""
    asked = {
        node.attr
        for node in ast.walk(tree_of(Channel))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Attribute)
        and node.value.attr in {"in_buffer", "in_stderr_buffer"}
    }
    assert {name for name in asked if not hasattr(Buffer, name)} == {"empty", "set_event"}


# ------------------------------------------------------------------- modules and classes


def modules() -> list[ModuleType]:
    """Those that may import a library, see ``OWNERS`` of test_architecture."""
    names = [
        info.name
        for owner in OWNERS
        for info in pkgutil.walk_packages(
            [str(Path(pushdeploy.__path__[0], owner))], f"pushdeploy.{owner}."
        )
    ]
    return [importlib.import_module(name) for name in names]


def classes_of(module: ModuleType) -> Iterator[type]:
    for each in vars(module).values():
        if isinstance(each, type) and each.__module__ == module.__name__:
            yield each


def theirs(cls: type) -> list[type]:
    """The library's among a class and all that it inherits from."""
    return [each for each in cls.__mro__ if each.__module__.partition(".")[0] in LIBRARIES]


def tree_of(cls: type) -> ast.AST:
    return ast.parse(textwrap.dedent(inspect.getsource(cls)))


@functools.cache
def assigned(cls: type) -> Set[str]:
    """What its methods put on ``self``."""
    return {
        node.attr
        for node in ast.walk(tree_of(cls))
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }


def owner_of(cls: type, name: str) -> type | None:
    """The library's class that gives ``name`` to this one."""
    for each in theirs(cls):
        if name in vars(each) or name in assigned(each):
            return each
    return None


# ------------------------------------------------------------------- what is found


def found_in(places: list[ModuleType]) -> Mapping[type, Set[str]]:
    """Names of the library's classes: those that ours take the place of, documented or not, and
    the private or undocumented ones that ours use."""
    found: dict[type, set[str]] = defaultdict(set)
    for module in places:
        for cls in classes_of(module):
            for name in ("__init__", *taken(cls)):
                if (owner := owner_of(cls, name)) is not None:
                    found[owner].add(name)
        for cls, name in Uses.of(module).known:
            owner = owner_of(cls, name)
            if owner is not None and not is_documented(owner, name):
                found[owner].add(name)
    return found


def with_private_parts(found: Mapping[type, Set[str]]) -> Set[str]:
    """The libraries of which we use a name that begins with one underscore."""
    private = re.compile(r"_(?!_)")
    return {
        cls.__module__.partition(".")[0]
        for cls, names in found.items()
        if any(private.match(name) for name in (cls.__name__, *names))
    }


def taken(cls: type) -> Set[str]:
    """The names that a class of ours gives a meaning of its own."""
    own = {name for name in vars(cls) if not name.startswith("__")}
    return own | assigned(cls) if theirs(cls) else set()


def is_documented(owner: type, name: str) -> bool:
    return not name.startswith("_") and bool(getattr(vars(owner).get(name), "__doc__", None))


class Uses(ast.NodeVisitor):
    """What a module reaches of ``self`` and of values whose class an annotation tells."""

    def __init__(self, module: ModuleType) -> None:
        self.known: list[tuple[type, str]] = []
        self.unknown: list[str] = []
        self._module = module
        self._class: type | None = None
        self._typed: dict[str, type] = {}

    @classmethod
    def of(cls, module: ModuleType) -> "Uses":
        found = cls(module)
        found.visit(ast.parse(inspect.getsource(module)))
        return found

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._class = vars(self._module).get(node.name)
        self._typed = {f"self.{name}": kind for name, kind in self._fields(node)}
        self.generic_visit(node)
        self._class, self._typed = None, {}

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        outer = self._typed
        self._typed = {**outer, **dict(self._parameters(node))}
        self.generic_visit(node)
        self._typed = outer

    def visit_Attribute(self, node: ast.Attribute) -> None:
        self.generic_visit(node)
        kind = self._kind(ast.unparse(node.value))
        if kind is not None:
            self.known.append((kind, node.attr))
        elif node.attr.startswith("_") and not node.attr.startswith("__"):
            self.unknown.append(f"{self._module.__name__}:{node.lineno} {ast.unparse(node)}")

    def _kind(self, value: str) -> type | None:
        if value in {"self", "cls", "super()"}:
            return self._class
        named = vars(self._module).get(value)
        return named if isinstance(named, type) else self._typed.get(value)

    def visit_Assign(self, node: ast.Assign) -> None:
        """``negotiation = Negotiation(…)``"""
        self.generic_visit(node)
        made = vars(self._module).get(ast.unparse(node.value).partition("(")[0])
        if isinstance(node.value, ast.Call) and isinstance(made, type):
            self._typed[ast.unparse(node.targets[0])] = made

    def _parameters(self, node: ast.FunctionDef) -> Iterator[tuple[str, type]]:
        for each in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs):
            if (kind := self._annotated(each.annotation)) is not None:
                yield each.arg, kind

    def _fields(self, node: ast.ClassDef) -> Iterator[tuple[str, type]]:
        """``self._channel = channel``, where the parameter ``channel`` has a type."""
        for function in (each for each in node.body if isinstance(each, ast.FunctionDef)):
            typed = dict(self._parameters(function))
            for each in (each for each in ast.walk(function) if isinstance(each, ast.Assign)):
                value, target = ast.unparse(each.value), ast.unparse(each.targets[0])
                if value in typed:
                    yield target.removeprefix("self."), typed[value]

    def _annotated(self, annotation: ast.expr | None) -> type | None:
        name, _, rest = ast.unparse(annotation).partition(".") if annotation else ("", "", "")
        found = vars(self._module).get(name)
        found = getattr(found, rest, None) if rest else found
        return found if isinstance(found, type) else None


# ------------------------------------------------------------------- how it is listed


def listed(found: Mapping[type, Set[str]]) -> list[str]:
    lines = []
    for cls in sorted(found, key=full_name):
        lines.append(full_name(cls))
        for name in sorted(found[cls]):
            lines += textwrap.wrap(shown(cls, name), 90, initial_indent=_IN, subsequent_indent=_ON)
    return lines


_IN, _ON = " " * 4, " " * 8


def full_name(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def shown(cls: type, name: str) -> str:
    """``read_all(self, n, check_rekey=)``; for a value the name alone."""
    member = inspect.getattr_static(cls, name, None)
    if not inspect.isroutine(member):
        return name
    parameters = inspect.signature(getattr(cls, name)).parameters.values()
    return f"{name}({', '.join(map(parameter, parameters))})"


def parameter(each: inspect.Parameter) -> str:
    return str(each.replace(annotation=each.empty)).partition("=")[0] + "=" * has_default(each)


def has_default(each: inspect.Parameter) -> bool:
    return each.default is not each.empty
