"""What is told when uv could not install."""

import pytest

from pushdeploy.build.languages.python.uv_failures import explained
from pushdeploy.build.plan import BuildCommand

COMMAND = BuildCommand(["uv"], hint="correct it")


@pytest.mark.parametrize(
    ("said", "cause", "python"),
    [
        (
            (
                "error: No solution found when resolving dependencies\n"
                "  cause: Because the current Python version (3.11.2) does not satisfy Python>=3.12"
                " and django>=6.0a1,<=6.0.10 depends on Python>=3.12, we can conclude"
            ),
            "django needs Python >=3.12, and this app gets 3.11",
            ">=3.12",
        ),
        (
            (
                "error: No solution found when resolving dependencies\n"
                "  cause: Because nosuch was not found in the package registry and you"
                " require nosuch,"
            ),
            "no package index has nosuch",
            "",
        ),
        (
            (
                "error: No solution found when resolving dependencies\n"
                "  cause: Because there is no version of click==0.0.999 and you require"
                " click==0.0.999,"
                " we can conclude that your requirements are unsatisfiable."
            ),
            "there is no click==0.0.999",
            "",
        ),
        (
            (
                "error: No solution found when resolving dependencies\n"
                "  cause: Because you require django<3 and django>4, we can conclude that your"
                " requirements are unsatisfiable."
            ),
            "the dependencies cannot be met: you require django<3 and django>4",
            "",
        ),
        (
            (
                "error: Failed to build `psycopg2==2.8`\n"
                "  cause: The build backend returned an error\n"
                "         psycopgmodule.c:920:36: error: lvalue required"
            ),
            "psycopg2==2.8 does not build on Python 3.11",
            "<3.11",
        ),
        (
            (
                "error: Failed to build `pylibmc==1.6`\n"
                "         fatal error: libmemcached/memcached.h: No such file or directory"
            ),
            "pylibmc==1.6 is built from source and lacks libmemcached/memcached.h",
            "",
        ),
        (
            "error: Failed to build `old==1`\n         ModuleNotFoundError: No module named 'imp'",
            "old==1 is too old for Python 3.11",
            "<3.11",
        ),
        (
            (
                "error: Couldn't parse requirement in `q.txt` at position 0\n"
                "  cause: after parsing `9.9`, found `x`, which is not part of a valid version"
            ),
            "q.txt has a line that is no requirement: after parsing `9.9`, found `x`",
            "",
        ),
        (
            (
                "error: Git operation failed\n  cause: failed to clone\n"
                "  cause: process didn't exit"
                " successfully: `/usr/bin/git fetch --force 'https://****@git.example/a.git'`\n"
                "         fatal: could not read Username for 'https://git.example'"
            ),
            "the download of https://****@git.example/a.git was refused",
            "",
        ),
        (
            (
                "error: Failed to fetch: https://pypi.org/simple/setuptools/\n  cause: dns error\n"
                "going on without setuptools, which no package index here has\n"
                "error: Failed to fetch: https://packages.example/simple/six/\n"
                "  cause: client error (Connect)\n"
                "  cause: invalid peer certificate: UnknownIssuer\n"
                "hint: Consider enabling use of system TLS certificates"
            ),
            "the certificate of packages.example is signed by nobody whom builds trust",
            "",
        ),
        (
            (
                "error: The Python request from `UV_PYTHON` resolved to Python 3.13.5, which is"
                " incompatible with the project's Python requirement: `>=3.13.9`"
            ),
            "the project requires Python >=3.13.9, and this app gets 3.13.5",
            "",
        ),
        (
            (
                "error: Failed to download and build `y @ git+ssh://git@git.example/x/y.git@main`\n"
                "  cause: process didn't exit successfully: `/usr/bin/git fetch --force"
                " 'ssh://git@git.example/x/y.git' '+refs/tags/main'` (exit status: 128)\n"
                "         error: cannot run ssh: No such file or directory"
            ),
            "builds have no ssh, by which git.example/x/y.git is to be fetched",
            "",
        ),
        (
            "error: Something that nobody has foreseen\n  cause: it broke",
            "Something that nobody has foreseen: it broke",
            "",
        ),
    ],
)
def test_the_cause_is_one_line(said: str, cause: str, python: str) -> None:
    found = explained(["Resolved 3 packages", *said.split("\n")], "3.11", COMMAND)

    assert found is not None
    assert found.message.startswith(cause)
    assert found.runtime == python
    assert found.hint


def test_what_is_not_uvs_own_is_left_to_the_commands_hint() -> None:
    assert explained(["Resolved 3 packages", "Killed"], "3.11", COMMAND) is None


@pytest.mark.parametrize(
    ("wanted", "typed"),
    [
        (">=3.12", "echo 3.13 > .python-version"),
        (">=3.14", "echo 3.14 > .python-version"),
        (">=3.8,<3.11", "echo 3.10 > .python-version"),
        (">=4", "write it into .python-version"),
    ],
)
def test_the_python_that_is_suggested_fits(wanted: str, typed: str) -> None:
    said = (
        "error: No solution found when resolving dependencies\n  cause: Because the current Python"
        f" version (3.11.2) does not satisfy Python{wanted} and shop==1 depends on it"
    )

    found = explained(said.split("\n"), "3.11", COMMAND)

    assert found is not None
    assert found.hint.endswith(typed)


@pytest.mark.parametrize(
    ("python", "typed"),
    [("3.13", "one that has a wheel, or an older Python:  echo 3.11"), ("3.11", "wheel")],
)
def test_an_older_python_is_suggested_where_a_stack_has_one(python: str, typed: str) -> None:
    found = explained(["error: Failed to build `old==1`"], python, COMMAND)

    assert found is not None
    assert found.hint.removesuffix(" > .python-version").endswith(typed)
