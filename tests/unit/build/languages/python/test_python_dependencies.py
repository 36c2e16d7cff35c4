"""Dependency files of every manager, as the commands that install them."""

import json

import pytest

from pushdeploy.build.languages.python.managers import dependencies_of
from pushdeploy.build.languages.python.pipenv import pipfile_requirements
from pushdeploy.build.languages.python.poetry import poetry_pins
from pushdeploy.build.languages.python.requirements import (
    hidden_variables,
    installs_from_source,
    requirement_files,
)
from pushdeploy.domain.errors import BuildFailed
from tests.unit.build.conftest import MakeTree

START = "requirements.txt"
POETRY = """
[tool.poetry.dependencies]
python = "^3.11"
Django = "^5.2"
uvicorn = { version = "*", extras = ["standard"] }
pywin32 = { version = "*", markers = "sys_platform == 'win32'" }
psycopg = { version = "*", optional = true }

[tool.poetry.group.dev.dependencies]
pytest = "*"
"""
POETRY_LOCK = """
[[package]]
name = "django"
version = "5.2.1"
files = [{ file = "django.whl", hash = "sha256:aa" }]

[[package]]
name = "uvicorn"
version = "0.30"

[[package]]
name = "pywin32"
version = "306"

[[package]]
name = "ours"
version = "1.0"
[package.source]
type = "git"
url = "https://example.com/ours.git"
resolved_reference = "abc"
"""


def test_requirements_bring_the_files_that_they_include(tree_of: MakeTree) -> None:
    tree = tree_of(
        {
            "requirements.txt": "-r requirements/base.txt\ngunicorn\n",
            "requirements/base.txt": "-c limits.txt\nDjango\n",
            "requirements/limits.txt": "Django<6\n",
            "app.py": "",
        }
    )

    found = dependencies_of(tree)

    assert found is not None
    assert set(found.files) == {
        "requirements.txt",
        "requirements/base.txt",
        "requirements/limits.txt",
    }
    assert not found.whole_tree
    assert [str(command) for command in found.commands] == ["uv pip install -r requirements.txt"]


@pytest.mark.parametrize(
    "line",
    ["-e .", ".", "./lib", "--editable=lib", "ours @ file:lib", "vendor/x.whl", "-f wheels"],
)
def test_requirements_from_the_source_itself_bring_the_whole_tree(
    tree_of: MakeTree, line: str
) -> None:
    found = dependencies_of(tree_of({"requirements.txt": f"Django\n{line}\n"}))

    assert found is not None
    assert found.whole_tree


@pytest.mark.parametrize(
    "line",
    [
        "Django>=5 # ./local",
        "git+https://example.com/a.git",
        "a @ https://example.com/a.whl",
        "-e git+https://example.com/a.git#egg=a",
        "https://example.com/a.tar.gz",
        "--find-links https://example.com",
        "zope.interface==5.0",
    ],
)
def test_requirements_from_elsewhere_do_not_need_the_tree(tree_of: MakeTree, line: str) -> None:
    found = dependencies_of(tree_of({"requirements.txt": f"{line}\n"}))

    assert found is not None
    assert not found.whole_tree


def test_an_include_that_is_missing_is_named(tree_of: MakeTree) -> None:
    with pytest.raises(BuildFailed, match=r"base\.txt is not in the commit"):
        dependencies_of(tree_of({"requirements.txt": "-r base.txt"}))


def test_an_include_outside_of_the_source_is_refused(tree_of: MakeTree) -> None:
    with pytest.raises(BuildFailed, match="outside of the source"):
        dependencies_of(tree_of({"requirements.txt": "-r ../../etc/passwd"}))


def test_uv_lock_is_synced_as_it_is(tree_of: MakeTree) -> None:
    project = '[project]\nname = "a"\nrequires-python = ">=3.12"\n'

    found = dependencies_of(tree_of({"uv.lock": "", "pyproject.toml": project}))

    assert found is not None
    assert found.requires_python == ">=3.12"
    assert not found.whole_tree
    assert str(found.commands[0]) == "uv sync --locked --no-default-groups --no-install-project"


@pytest.mark.parametrize(
    "more",
    [
        '[build-system]\nrequires = ["hatchling"]\n',
        "[tool.uv]\npackage = true\n",
        '[tool.uv.workspace]\nmembers = ["lib"]\n',
        '[tool.uv.sources]\nlib = { path = "lib" }\n',
    ],
)
def test_uv_projects_that_are_packages_bring_the_whole_tree(tree_of: MakeTree, more: str) -> None:
    files: dict[str, str | bytes] = {
        "uv.lock": "",
        "pyproject.toml": f'[project]\nname="a"\n{more}',
    }

    found = dependencies_of(tree_of(files))

    assert found is not None
    assert found.whole_tree


def test_poetry_lock_pins_what_the_project_asks_for() -> None:
    pins = poetry_pins(POETRY, POETRY_LOCK)

    assert pins.requirements.split("\n") == [
        "Django",
        "uvicorn[standard]",
        "pywin32 ; sys_platform == 'win32'",
        "",
    ]
    assert pins.constraints.split("\n") == [
        "django==5.2.1 --hash=sha256:aa",
        "ours @ git+https://example.com/ours.git@abc",
        "pywin32==306",
        "uvicorn==0.30",
        "",
    ]
    assert pins.requires_python == "^3.11"
    assert not pins.local


def test_poetry_projects_in_the_standard_form_are_read_too() -> None:
    project = '[project]\nname="a"\ndependencies=["Django[argon2]>=5,<6 ; python_version>\'3\'"]\n'

    pins = poetry_pins(project, POETRY_LOCK)

    assert pins.requirements == "Django[argon2] ; python_version>'3'\n"


def test_a_stale_poetry_lock_is_refused() -> None:
    with pytest.raises(
        BuildFailed, match=r"asks for flask, which is not in poetry\.lock"
    ) as failed:
        poetry_pins('[tool.poetry.dependencies]\nflask = "*"\n', POETRY_LOCK)

    assert "poetry lock" in failed.value.hint


def test_a_package_pinned_twice_needs_markers() -> None:
    twice = '[[package]]\nname="a"\nversion="1"\n[[package]]\nname="a"\nversion="2"\n'
    marked = (
        '[[package]]\nname="a"\nversion="1"\nmarkers="python_version<\'3.12\'"\n'
        '[[package]]\nname="a"\nversion="2"\nmarkers={ main = "python_version>=\'3.12\'" }\n'
    )

    with pytest.raises(BuildFailed, match="pins a twice"):
        poetry_pins("[tool.poetry.dependencies]\na='*'\n", twice)
    pins = poetry_pins("[tool.poetry.dependencies]\na='*'\n", marked)

    assert "a==2 ; python_version>='3.12'" in pins.constraints


def test_pipfile_lock_becomes_pinned_requirements() -> None:
    lock = {
        "_meta": {"sources": [{"url": "https://pypi.org/simple"}, {"url": "https://in.example/s"}]},
        "default": {
            "django": {"version": "==5.2", "hashes": ["sha256:aa", "sha256:bb"]},
            "uvicorn": {
                "version": "==0.3",
                "extras": ["standard"],
                "markers": "python_version>'3'",
            },
            "ours": {"git": "https://example.com/ours.git", "ref": "abc"},
            "lib": {"path": "./lib", "editable": True},
        },
        "develop": {"pytest": {"version": "==8"}},
    }

    assert pipfile_requirements(json.dumps(lock)).split("\n") == [
        "--extra-index-url https://in.example/s",
        "django==5.2 --hash=sha256:aa --hash=sha256:bb",
        "-e ./lib",
        "ours @ git+https://example.com/ours.git@abc",
        "uvicorn[standard]==0.3 ; python_version>'3'",
        "",
    ]


def test_pipfile_lock_without_a_pin_is_refused() -> None:
    with pytest.raises(BuildFailed, match="does not pin django"):
        pipfile_requirements('{"default": {"django": {}}}')


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"requirements.txt": "", "uv.lock": "", "pyproject.toml": ""}, "several package managers"),
        ({"Pipfile": ""}, "Pipfile without a Pipfile.lock"),
        ({"pyproject.toml": "[tool.poetry.dependencies]"}, "Poetry without a poetry.lock"),
        ({"setup.py": ""}, "setup.py and no dependency file"),
        ({"pyproject.toml": "[project"}, "pyproject.toml is not TOML"),
        ({"Pipfile.lock": "{"}, "Pipfile.lock is not JSON"),
        ({"uv.lock": ""}, "pyproject.toml is not in the commit"),
    ],
)
def test_ambiguous_or_missing_files_are_told_apart(
    tree_of: MakeTree, files: dict[str, str | bytes], said: str
) -> None:
    with pytest.raises(BuildFailed, match=said) as failed:
        dependencies_of(tree_of(files))

    assert failed.value.hint


def test_a_pyproject_for_tools_alone_is_no_dependency_file(tree_of: MakeTree) -> None:
    assert dependencies_of(tree_of({"pyproject.toml": "[tool.ruff]\n"})) is None


def test_a_plain_pyproject_installs_with_a_notice(tree_of: MakeTree) -> None:
    project = '[project]\nname = "a"\ndependencies = ["Django"]\n'

    found = dependencies_of(tree_of({"pyproject.toml": project}))

    assert found is not None
    assert str(found.commands[0]) == "uv pip install -r pyproject.toml"
    assert "no lock file" in found.notices[0]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("-e git+https://x.example/a.git@v1#egg=a", "a @ git+https://x.example/a.git@v1"),
        ("--editable=git+https://x.example/a.git#egg=a[b]", "a[b] @ git+https://x.example/a.git"),
        (
            "-e git+ssh://git@x.example/a.git@main#egg=a&subdirectory=py",
            "a @ git+ssh://git@x.example/a.git@main#subdirectory=py",
        ),
        (
            "-e 'git+https://x.example/a.git#egg=a' ; python_version > '3'",
            "a @ git+https://x.example/a.git ; python_version > '3'",
        ),
        ("-e git+https://x.example/a.git", "git+https://x.example/a.git"),
        ("-e ./a", "-e ./a"),
        ("git+https://x.example/a.git@v1#egg=a", "git+https://x.example/a.git@v1#egg=a"),
    ],
)
def test_an_editable_repository_is_installed_as_any_other(
    tree_of: MakeTree, line: str, expected: str
) -> None:
    files = requirement_files(tree_of({"requirements.txt": f"click\n{line}\nflask\n"}), START)

    assert files[START].decode() == f"click\n{expected}\nflask\n"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_requirements_of_a_windows_shell_reach_uv_in_utf_8(
    tree_of: MakeTree, encoding: str
) -> None:
    texts = {START: "-r more.txt\r\nclick\r\n", "more.txt": "-e .\r\n"}
    tree = tree_of({name: text.encode(encoding) for name, text in texts.items()})

    files = requirement_files(tree, START)

    assert files[START] == b"-r more.txt\r\nclick\r\n"
    assert installs_from_source(files)


@pytest.mark.parametrize(
    ("line", "expected"),
    [("libs/ours", True), ("libs/ours[a]", True), ("django", False), ("a @ https://x/y", False)],
)
def test_a_directory_is_the_sources_own(line: str, expected: bool) -> None:
    assert installs_from_source({START: line.encode()}) is expected


def test_variables_that_nobody_gives_are_named() -> None:
    files = {START: b"git+https://${TOKEN}@x/a.git\n# ${OLD}\nb @ https://${USER}:$PW@x/b.whl\n"}

    assert hidden_variables(files, {"USER": "a"}) == ["TOKEN"]


def test_a_repository_of_pipenv_is_named_once() -> None:
    lock = {"default": {"a": {"git": "git+https://x.example/a.git", "ref": "abc"}}}

    assert "a @ git+https://x.example/a.git@abc" in pipfile_requirements(json.dumps(lock))


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"pyproject.toml": '[project]\ndependencies = ["Flask>=3", "gunicorn"]\n'}, "Flask of"),
        ({"pyproject.toml": '[project]\ndependencies = ["Gunicorn[gevent]; x"]\n'}, ""),
        ({"pyproject.toml": "[tool.poetry.dependencies]\npython = '3'\nrich = '*'\n"}, "rich of"),
        ({"pyproject.toml": "[tool.ruff]\nline-length = 100\n"}, ""),
        ({"pyproject.toml": "not = toml ="}, ""),
        ({"pyproject.toml": "project = 3\ntool = []\n"}, ""),
        ({"Pipfile": '[packages]\nflask = "*"\na = "*"\nb = "*"\nc = "*"\n'}, "b and 1 more of"),
        ({"Pipfile": '[packages]\ngunicorn = "*"\n[dev-packages]\npytest = "*"\n'}, ""),
        ({"requirements.txt": "-e .", "pyproject.toml": '[project]\ndependencies = ["a"]'}, ""),
        (
            {
                "requirements.txt": "-r base.txt",
                "base.txt": "flask==3",
                "Pipfile": "[packages]\nflask = '*'\n",
            },
            "",
        ),
    ],
)
def test_what_only_another_file_depends_on_is_told(
    tree_of: MakeTree, files: dict[str, str | bytes], told: str
) -> None:
    found = dependencies_of(tree_of({"requirements.txt": "gunicorn==23\n", **files}))
    assert found is not None
    said = "\n".join(found.notices)
    assert told in said
    assert bool(said) == bool(told)
