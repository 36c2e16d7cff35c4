"""The examples of CONTRIBUTING.md are written into a copy of the tree and do what the page says."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from pushdeploy.lifecycle import Lifecycle
from pushdeploy.output import Quiet
from pushdeploy.templating import Templates

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("docs", "hooks", "pushdeploy", "pyproject.toml", "setup.cfg", "templates", "tests")
_EXAMPLE = re.compile(r"(?ms)^(At the end of )?`([^`\n]+)`:\n\n```\w+\n(.*?)^```$")


def examples() -> Mapping[str, str]:
    """The text of each file that the page shows, by its path."""
    return {path: text for _, path, text in _EXAMPLE.findall(_page())}


def _page() -> str:
    return (ROOT / "CONTRIBUTING.md").read_text()


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("tree")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, root / name)
    for at_the_end, path, text in _EXAMPLE.findall(_page()):
        if not path.startswith("<home>"):
            _write(root / path, text, more=bool(at_the_end))
    return root


def _write(path: Path, text: str, *, more: bool) -> None:
    assert path.exists() == more, path
    with path.open("a") as file:
        file.write(text)


def run(tree: Path, *words: str) -> str:
    environment = {**os.environ, "PYTHONPATH": str(tree)}
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=tree,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def pytest_in(tree: Path, *words: str) -> int:
    """How many of these tests have passed; none has failed."""
    said = run(tree, "pytest", "-q", "-p", "no:cacheprovider", "-m", "not docker", *words)
    passed = re.search(r"(\d+) passed", said)
    assert passed, said
    return int(passed[1])


def python(tree: Path, *lines: str) -> str:
    path = tree / "tried.py"
    path.write_text("\n".join(lines))
    return run(tree, "tried").strip()


def test_all_kinds_have_an_example() -> None:
    kinds = {path.rpartition("/")[0].removeprefix("<home>/") for path in examples()}
    assert kinds >= {
        "pushdeploy/commands",
        "pushdeploy/build/languages",
        "pushdeploy/run/schedulers",
        "pushdeploy/route/routers",
        "pushdeploy/disks/snapshots",
        "pushdeploy/doctor/checks",
        "pushdeploy/upkeep/chores",
        "pushdeploy/domain/settings",
        "hooks",
        "templates/pages",
    }


def test_the_examples_are_in_our_style(tree: Path) -> None:
    paths = [path for path in examples() if path.endswith(".py")]
    run(tree, "ruff", "check", "--no-cache", *paths)
    run(tree, "ruff", "format", "--no-cache", "--check", *paths)


def test_the_command_answers_as_its_test_says(tree: Path) -> None:
    assert pytest_in(tree, "tests/unit/commands/test_age_commands.py") == 1


def test_the_language_keeps_its_contract(tree: Path) -> None:
    assert pytest_in(tree, "tests/contracts/test_languages.py", "-k", "pages")


def test_the_scheduler_keeps_its_contract(tree: Path) -> None:
    assert pytest_in(tree, "tests/contracts/test_any_scheduler.py", "-k", "noting")


def test_router_snapshot_and_setting_are_found(tree: Path) -> None:
    said = python(
        tree,
        "import pushdeploy.route.routers as routers, pushdeploy.disks.snapshots as snapshots",
        "from pushdeploy.discover import discover",
        "from pushdeploy.domain.settings import all_settings",
        "print(*discover(routers, 'ROUTER'), *discover(snapshots, 'SNAPSHOT'))",
        "print(*(setting.name for setting in all_settings()))",
    )
    assert {"hasty", "ranged", "core-dumps"} <= set(said.split())


def test_the_chore_takes_its_turn(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "repositories").mkdir()
    said = python(
        tree,
        "import logging, pathlib, sys, threading",
        "from pushdeploy.upkeep.clock import found_chores",
        "from tests.unit.commands.machine import Machine",
        "logging.basicConfig(level=logging.INFO, stream=sys.stdout)",
        f"upkeep = Machine(pathlib.Path({str(tmp_path)!r})).context.upkeep",
        "chore = next(each for each in found_chores() if each.name == 'apps count')",
        "chore.run(upkeep, threading.Event())",
    )
    assert "0 apps are here" in said


def test_the_check_of_the_doctor_finds_something(tree: Path) -> None:
    said = python(
        tree,
        "from pushdeploy.doctor.checks.load import CHECK",
        "print(*(finding.check for finding in CHECK.look(None)))",
    )
    assert said == "load"


def test_a_file_is_copied_whole_by_the_snapshot(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 70_000)
    python(
        tree,
        "from pushdeploy.disks.snapshots.ranged import copy_ranges",
        f"source = open({str(tmp_path / 'a')!r}, 'rb')",
        f"target = open({str(tmp_path / 'b')!r}, 'wb')",
        "copy_ranges(source.fileno(), target.fileno(), 70_000)",
    )
    assert (tmp_path / "b").read_bytes() == b"x" * 70_000


def test_the_hook_of_an_operator_runs(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    _at_home(tmp_path, "hooks/post-deploy")
    facts = {"APP": "shop", "RELEASE_VERSION": "v2", "HOST": "shop.example.com"}
    Lifecycle(tmp_path).run("post-deploy", facts, Quiet())
    assert (tmp_path / "logs/chat.log").read_text() == "shop v2 is live at shop.example.com\n"


def test_the_page_of_an_operator_is_shown(tmp_path: Path) -> None:
    _at_home(tmp_path, "templates/pages/404.html")
    assert "Nobody lives here" in Templates(tmp_path).render("pages/404.html")


def _at_home(home: Path, path: str) -> None:
    (home / path).parent.mkdir(parents=True)
    (home / path).write_text(examples()[f"<home>/{path}"])
