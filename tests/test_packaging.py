"""What is installed: wheel, editable install and plain checkout hold the same program."""

import configparser
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("pushdeploy", "hooks", "templates")
BUILD_FILES = ("setup.cfg", "setup.py", "pyproject.toml", "README.md", "LICENSE")
LOOK = """
import pathlib, pushdeploy
from pushdeploy.resources import find, shipped
package = pathlib.Path(pushdeploy.__file__).parent
for path in (package, shipped("hooks"), shipped("templates"), find("hooks", "pre-build", None)):
    print(path)
print(package / "store" / "migrations" / "env.py")
"""


def shipped_files(root: Path) -> set[str]:
    """All that an installation must hold, as paths inside the package."""
    found = set()
    for name in SOURCES:
        for path in (root / name).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                inside = path.relative_to(root).as_posix()
                found.add(inside if name == "pushdeploy" else f"pushdeploy/{inside}")
    return found


def python(*words: str, cwd: Path, path: Path | None = None) -> str:
    environment = {**os.environ, "PYTHONPATH": str(path) if path else ""}
    run = subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, so that building leaves nothing in the checkout."""
    root = tmp_path_factory.mktemp("source")
    for name in SOURCES:
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in BUILD_FILES:
        shutil.copy(ROOT / name, root / name)
    return root


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("wheel")
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--quiet", "--wheel-dir"]
    python("-m", "pip", "wheel", *options, str(target), str(source), cwd=target)
    return next(target.glob("pushdeploy-*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("installed")
    options = ["--no-deps", "--no-index", "--quiet", "--target", str(target)]
    python("-m", "pip", "install", *options, str(wheel), cwd=target)
    return target


def test_the_wheel_holds_every_module_hook_template_and_migration(
    wheel: Path, source: Path
) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == shipped_files(source)


def test_the_wheel_names_no_place_but_its_own(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith("/METADATA"))
        metadata = archive.read(name).decode().partition("\n\n")[0]
    assert "file:" not in metadata
    assert "@" not in metadata, "a dependency by address"
    assert "License" in metadata


def test_an_installed_wheel_finds_what_ships_inside_itself(installed: Path) -> None:
    package, *places = python("-c", LOOK, cwd=installed, path=installed).split()
    assert Path(package) == installed / "pushdeploy"
    assert [Path(place).is_relative_to(package) for place in places] == [True] * len(places)
    assert all(Path(place).exists() for place in places)


def test_a_checkout_finds_what_ships_beside_the_package(source: Path) -> None:
    package, hooks, templates, hook, migrations = python(
        "-c", LOOK, cwd=source, path=source
    ).split()
    assert Path(package) == source / "pushdeploy"
    assert Path(hooks) == source / "hooks"
    assert Path(templates) == source / "templates"
    assert Path(hook).exists()
    assert Path(migrations).exists()


def test_the_installed_program_makes_a_home(installed: Path, tmp_path: Path) -> None:
    said = python(
        *("-m", "pushdeploy", "init", "--home", str(tmp_path / "home")),
        *("--systemd", "--unit-path", str(tmp_path / "unit")),
        cwd=tmp_path,
        path=installed,
    )
    assert "=====> Next:" in said
    assert "KillMode=process" in (tmp_path / "unit").read_text()


def test_every_dependency_has_a_lower_bound() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    wanted = setup["options"]["install_requires"] + setup["options.extras_require"]["test"]
    lines = [line for line in wanted.splitlines() if line]
    assert [line for line in lines if ">=" not in line] == []


def locked(*names: str) -> list[str]:
    """What the lock files pin, with its version."""
    text = "\n".join((ROOT / name).read_text() for name in names)
    return re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("extra", "files"),
    [
        ("", ["requirements.lock"]),
        ("checkout", ["requirements.lock"]),
        ("test", ["requirements.lock", "requirements-test.lock"]),
    ],
)
def test_the_lock_files_pin_every_dependency(extra: str, files: list[str]) -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    wanted = (
        setup["options.extras_require"][extra] if extra else setup["options"]["install_requires"]
    )
    names = {line.partition(">=")[0].lower() for line in wanted.splitlines() if line}
    assert names
    assert names <= set(locked(*files))


def test_what_a_server_needs_is_not_installed_twice_and_brings_no_test_tools() -> None:
    runtime, tools = locked("requirements.lock"), locked("requirements-test.lock")
    assert set(runtime) & set(tools) == set()
    assert set(runtime) & {"pytest", "mypy", "ruff", "hypothesis"} == set()


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-test.lock"])
def test_a_lock_file_has_hashes_and_names_no_place(name: str) -> None:
    text = (ROOT / name).read_text()
    pins = re.split(r"^(?=[a-z0-9-]+==)", text, flags=re.MULTILINE)[1:]
    assert [pin.partition("==")[0] for pin in pins if "--hash=sha256:" not in pin] == []
    assert "://" not in text, "the lock names no index: everybody has their own"


def test_the_checkout_is_what_the_tests_run() -> None:
    """An editable install leads here too; a stale copy elsewhere would test something else."""
    place = python("-c", "import pushdeploy; print(pushdeploy.__file__)", cwd=Path("/tmp"))
    assert Path(place.strip()) == ROOT / "pushdeploy" / "__init__.py"


def test_the_tools_settings_can_be_read() -> None:
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    assert {"ruff", "mypy", "pytest", "importlinter"} <= set(tools)
