"""The shape of the tree, kept by machine: arrows, owners of libraries, plugs, sizes."""

import ast
import configparser
import functools
import importlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence, Set
from fnmatch import fnmatch
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from pushdeploy.discover import discover
from tests.tree import FILES, PACKAGE, ROOT, name_of, part_of, text_of, tree_of

ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
MOST_LINES = 400

OWNERS = {
    "acme": {"certificates"},
    "alembic": {"store"},
    "bcrypt": {"passwords"},
    "click": {"cli", "commands"},
    "cryptography": {"certificates", "ssh", "stand_in"},
    "dns": {"certificates"},
    "docker": {"engine"},
    "dulwich": {"receive"},
    "idna": {"hostnames"},
    "jinja2": {"templating"},
    "josepy": {"certificates"},
    "paramiko": {"ssh"},
    "publicsuffixlist": {"hostnames"},
    "pydantic_settings": {"settings"},
    "requests": {"certificates", "engine"},
    "rich": {"commands"},
    "sqlalchemy": {"store"},
    "urllib3": {"engine"},
    "yaml": {"build"},
}
"""Who may import what: the first name below the package."""


PLUGS = {
    "pushdeploy.build.languages": "LANGUAGE",
    "pushdeploy.disks.limits": "LIMIT",
    "pushdeploy.disks.snapshots": "SNAPSHOT",
    "pushdeploy.route.routers": "ROUTER",
    "pushdeploy.doctor.checks": "CHECK",
    "pushdeploy.run.schedulers": "SCHEDULER",
    "pushdeploy.upkeep.chores": "CHORE",
}


@functools.cache
def imports(path: Path) -> Set[str]:
    """The top-level names of absolute imports, those inside functions too."""
    found: set[str] = set()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            found.add(node.module.partition(".")[0])
    return found


def environment_uses(tree: ast.AST) -> list[int]:
    """The lines that read or change the process's environment."""
    names = {"environ", "environb", "getenv", "putenv", "unsetenv"}
    return [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr in names)
        or (
            isinstance(node, ast.ImportFrom)
            and node.module == "os"
            and names & {alias.name for alias in node.names}
        )
    ]


def test_no_folder_of_tests_is_passed_over(pytestconfig: pytest.Config) -> None:
    """Of itself pytest looks into none that is called build or dist."""
    patterns = pytestconfig.getini("norecursedirs")
    folders = {part for path in TESTS for part in path.relative_to(ROOT).parts[:-1]}
    assert [each for each in folders if any(fnmatch(each, known) for known in patterns)] == []


TESTS = sorted((ROOT / "tests").rglob("test_*.py"))


def run_in_root(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)


def test_imports_run_rightwards_only() -> None:
    program = Path(sys.executable).with_name("lint-imports")
    run = run_in_root(str(program), "--no-cache")
    assert run.returncode == 0, run.stdout + run.stderr


COMMANDS = [path for path in FILES if path.is_relative_to(PACKAGE / "commands")]


def parts_reached(tree: ast.AST) -> list[str]:
    """The attributes of ``request`` and its context by which a command gets at what it does not
    own: locks, back-ends, the context itself."""
    reached = {"back_ends", "context", "locks"}
    return [
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in reached
    ]


@pytest.mark.parametrize("path", COMMANDS, ids=name_of)
def test_a_command_asks_flow_and_reads_and_touches_no_part_itself(path: Path) -> None:
    if path.name != "request.py":
        assert parts_reached(tree_of(path)) == []


def test_a_command_that_touches_a_part_is_noticed() -> None:
    tree = ast.parse("request.context.locks.apps.holder(app)")
    assert parts_reached(tree) == ["locks", "context"]


def test_the_arrows_that_people_read_are_those_that_are_kept() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    kept = [layer.replace("pushdeploy.", "") for layer in contracts["contracts"][0]["layers"]]
    rooms = ARCHITECTURE.partition("## The rooms")[2].partition("\n## ")[0]
    shown = re.findall(r"(?m)^    (?:→ )?((?:\w| \| |\(\w+\))+)$", rooms)
    assert shown == kept


def thread_starts(tree: ast.AST) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            if name in {"Thread", "Timer", "ThreadPoolExecutor"}:
                yield node


def test_every_thread_stands_in_the_table_that_says_who_ends_it() -> None:
    table = ARCHITECTURE.partition("## Threads")[2]
    found = {path: list(thread_starts(tree_of(path))) for path in FILES}
    starters = {str(path.relative_to(PACKAGE)) for path, starts in found.items() if starts}
    assert set(re.findall(r"`([\w/]+\.py)`", table)) == starters | {"ssh/transport.py"}
    for path, starts in found.items():
        for name in filter(None, map(thread_name, starts)):
            assert f"`{name}`" in table, f"{name_of(path)} starts {name}"


def test_every_thread_has_a_name() -> None:
    """Timers take none."""
    for path in FILES:
        for call in thread_starts(tree_of(path)):
            timer = ast.unparse(call.func).endswith("Timer")
            assert timer or thread_name(call) is not None, f"{name_of(path)}:{call.lineno}"


def thread_name(call: ast.Call) -> str | None:
    """What it begins with: empty where that is known at run time only, None without a name."""
    for keyword in call.keywords:
        if keyword.arg in {"name", "thread_name_prefix"}:
            values = getattr(keyword.value, "values", [keyword.value])
            first = values[0]
            return str(first.value).strip() if isinstance(first, ast.Constant) else ""
    return None


def store_changes(tree: ast.AST) -> list[str]:
    """The calls of ``store.<noun>`` that change what is stored."""
    verbs = {"add", "complete", "create", "destroy", "fail", "remove", "rename", "replace", "share"}
    verbs |= {"close_open", "make_live", "ref_moved", "set"}
    return [
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Attribute)
        and ast.unparse(node.value.value).endswith("store")
        and (node.attr in verbs or node.attr.startswith(("forget_", "set_")))
    ]


@pytest.mark.parametrize(
    "path", [*sorted((PACKAGE / "reads").glob("*.py")), *COMMANDS], ids=name_of
)
def test_the_store_is_changed_by_no_reader_and_no_command(path: Path) -> None:
    assert store_changes(tree_of(path)) == []


def test_a_change_of_the_store_is_noticed() -> None:
    text = "self.store.apps.set_lock(app, None), store.keys.add(key), self.store.keys.list()"
    assert store_changes(ast.parse(text)) == ["set_lock", "add"]


@pytest.mark.parametrize("library", sorted(OWNERS))
def test_only_its_owner_imports_a_library(library: str) -> None:
    users = {part_of(path) for path in FILES if library in imports(path)}
    assert users <= OWNERS[library]


def test_every_library_that_is_imported_is_a_dependency() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    wanted = setup["options"]["install_requires"].split("\n")
    named = {line.partition(">=")[0].lower() for line in wanted if line}
    homes = packages_distributions()
    ours = sys.stdlib_module_names | {"pushdeploy"}
    used = {name for path in FILES for name in imports(path)} - ours
    assert {home.lower() for name in used for home in homes[name]} <= named


def test_the_domain_imports_the_standard_library_only() -> None:
    allowed = sys.stdlib_module_names | {"pushdeploy"}
    found = {
        (name_of(path), name)
        for path in (PACKAGE / "domain").rglob("*.py")
        for name in imports(path)
        if name not in allowed
    }
    assert not found


def test_only_settings_look_at_the_environment() -> None:
    users = {name_of(path) for path in FILES if environment_uses(tree_of(path))}
    assert users == {"pushdeploy/settings.py"}


@pytest.mark.parametrize("text", ["import os\nos.environ['A']", "from os import getenv"])
def test_a_look_at_the_environment_is_noticed(text: str) -> None:
    assert environment_uses(ast.parse(text))


@pytest.mark.parametrize("path", FILES, ids=str)
def test_a_child_sees_only_what_is_listed_of_our_environment(path: Path) -> None:
    """It may hold the database's password; ``doctor`` is a person's own program."""
    if part_of(path) != "doctor":
        assert list(_inheriting_children(tree_of(path))) == []


def test_a_child_that_inherits_our_environment_is_noticed() -> None:
    text = (
        "import subprocess\nsubprocess.run(['x'], check=False)\nsubprocess.Popen(['x'], env={})\n"
    )
    assert list(_inheriting_children(ast.parse(text))) == [2]


def _inheriting_children(tree: ast.AST) -> Iterator[int]:
    """Lines of calls of subprocess that leave out ``env``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            named = isinstance(node.func.value, ast.Name) and node.func.value.id == "subprocess"
            given = {keyword.arg for keyword in node.keywords}
            if named and node.func.attr in _CALLS and "env" not in given:
                yield node.lineno


_CALLS = frozenset({"run", "Popen", "call", "check_call", "check_output"})


def test_a_build_knows_no_language_by_name() -> None:
    rest = [path for path in (PACKAGE / "build").rglob("*.py") if "languages" not in path.parts]
    named = {
        f"{name_of(path)}: {found[0]}"
        for path in rest
        if (found := _OF_A_LANGUAGE.search(text_of(path)))
    }
    assert not named, "what one language needs is said in its LANGUAGE"


_OF_A_LANGUAGE = re.compile(
    r"pushdeploy\.build\.languages\.|\b(python\w*|django|site-packages|venv|uv|UV_\w+|pip\d?|PIP_\w+)\b",
    re.IGNORECASE,
)


@pytest.mark.parametrize("package", sorted(PLUGS))
def test_every_back_end_defines_the_name_of_its_kind(package: str) -> None:
    assert discover(importlib.import_module(package), PLUGS[package]) is not None


@pytest.mark.parametrize("package", ["pushdeploy.route.routers", "pushdeploy.run.schedulers"])
def test_nobody_but_itself_names_a_back_end_that_a_setting_chooses(package: str) -> None:
    """So one is added, and another taken away, by its own files alone."""
    for back_end in discover(importlib.import_module(package), PLUGS[package]):
        inside, named = PACKAGE.joinpath(*package.split(".")[1:], back_end), f"{package}.{back_end}"
        users = {name_of(path) for path in FILES if named in text_of(path)}
        assert users == {name for name in users if (ROOT / name).is_relative_to(inside)}


@pytest.mark.parametrize("package", sorted(PLUGS))
def test_every_kind_of_back_end_stands_in_the_readme(package: str) -> None:
    place, name = f"`{package.replace('.', '/')}/<name>", f"`{PLUGS[package]}`"
    rows = (ROOT / "README.md").read_text().splitlines()
    assert [row for row in rows if place in row and name in row], f"{name} in {package}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_every_file_says_why_it_exists_and_is_short(path: Path) -> None:
    assert ast.get_docstring(tree_of(path)), "a line or three at the top"
    assert len(text_of(path).splitlines()) <= MOST_LINES, "two rooms behind one door"


def test_every_module_can_be_imported() -> None:
    script = "import importlib, sys\nfor name in sys.argv[1:]: importlib.import_module(name)\n"
    names = [name for name in MODULES if ".migrations" not in name and "__main__" not in name]
    run = run_in_root(sys.executable, "-W", "error", "-c", script, *names)
    assert run.returncode == 0, run.stderr


def test_every_module_can_be_imported_alone() -> None:
    """None needs itself, by way of others: so it is no matter which of them comes first."""
    needs = {name: needed_by(name, tree_of(path)) for name, path in MODULES.items()}
    TopologicalSorter(needs).prepare()


MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in FILES
}


def needed_by(module: str, tree: ast.AST) -> Set[str]:
    """Our modules that are to be there whole before this one, packages around them included.

    The packages around ``module`` itself have begun already, and need not have ended.
    """
    found: set[str] = set()
    for name in imported_at_once(tree):
        around = [each for each in parents(name) if not f"{module}.".startswith(f"{each}.")]
        found |= {name, *around}
    return found & MODULES.keys()


def parents(name: str) -> Sequence[str]:
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]


def imported_at_once(tree: ast.AST) -> Iterator[str]:
    """Full names of what is imported while the module is, not later by a function or for types."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                yield full if full in MODULES else str(node.module)
        elif not isinstance(node, (ast.FunctionDef, ast.Lambda)) and not _for_types(node):
            yield from imported_at_once(node)


def _for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def test_modules_that_need_each_other_are_noticed() -> None:
    """In a circle of three: by a name of a package around, and by a package on the way."""
    store, apps, rows = "pushdeploy.store", "pushdeploy.store.apps", "pushdeploy.domain.app"
    needs = {
        store: needed_by(store, ast.parse(f"from {apps} import Apps")),
        apps: needed_by(apps, ast.parse(f"import {rows}\nfrom pushdeploy.output import Quiet")),
        rows: needed_by(rows, ast.parse("if rows:\n    from pushdeploy.store import rows")),
    }
    assert needs[store] == {apps}
    assert store in needs[rows]
    with pytest.raises(CycleError):
        TopologicalSorter(needs).prepare()
    later = "def f():\n    import pushdeploy.store\nif TYPE_CHECKING:\n    import pushdeploy.cli"
    assert needed_by(rows, ast.parse(later)) == set()
