"""Causes read out of what programs really print when they die: see failures/ for the long ones."""
# ruff: noqa: E501 - programs print long lines

from pathlib import Path

import pytest

from pushdeploy.domain.cause import Cause, Mends, cause_of

FAILURES = Path(__file__).parent / "failures"


@pytest.mark.parametrize(
    ("file", "exit_code", "command", "what", "mends"),
    [
        ("gunicorn-syntax", 3, "", "SyntaxError: '(' was never closed (bad.py, line 4)", "code"),
        (
            "gunicorn-attr",
            3,
            "gunicorn env2:app",
            "ModuleNotFoundError: No module named 'env2'",
            "code",
        ),
        ("gunicorn-noattr", 4, "", "Failed to find attribute 'application' in 'env'.", "code"),
        ("gunicorn-env", 3, "", "KeyError: 'SECRET_KEY' (env.py, line 3)", "config"),
        (
            "gunicorn-miss",
            3,
            "",
            "ModuleNotFoundError: No module named 'stripe' (miss.py, line 1)",
            "code",
        ),
        ("python-syntax", 1, "", "SyntaxError: '(' was never closed (bad.py, line 4)", "code"),
        (
            "python-miss",
            1,
            "",
            "ModuleNotFoundError: No module named 'stripe' (miss.py, line 1)",
            "code",
        ),
        ("group", 1, "", "ValueError: inner (grp.py, line 3)", "unknown"),
        ("python-chain", 1, "", "RuntimeError: cannot connect (chain.py, line 8)", "unknown"),
        ("python-nofile", 2, "", "there is no file nofile.py in the slug", "code"),
        ("indent", 1, "", "IndentationError: unexpected indent (ind.py, line 2)", "code"),
        ("uvicorn-attr", 3, "", 'Error loading ASGI app. Could not import module "env3".', "code"),
        ("uvicorn-env", 1, "", "KeyError: 'SECRET_KEY' (env.py, line 3)", "config"),
        (
            "uvicorn-noattr",
            3,
            "",
            'Error loading ASGI app. Attribute "nope" not found in module "env".',
            "code",
        ),
        ("lifespan", 3, "", "RuntimeError: no cache (life.py, line 5)", "unknown"),
        ("hyper", 0, "", "SyntaxError: '(' was never closed (bad.py, line 4)", "code"),
        ("celery", 2, "", "The module nope was not found.", "code"),
        ("flask-none", 2, "", "Could not import 'nope'.", "code"),
        ("taken", 1, "", "OSError: [Errno 98] Address already in use (taken.py, line 3)", "code"),
        (
            "away",
            1,
            "",
            "ConnectionRefusedError: [Errno 111] Connection refused (away.py, line 2)",
            "others",
        ),
        (
            "django-table",
            1,
            "",
            "OperationalError: no such table: auth_user (dj.py, line 8)",
            "unknown",
        ),
        (
            "pydantic",
            1,
            "",
            "ValidationError: 1 validation error for Settings (pyd.py, line 4)",
            "unknown",
        ),
        ("node-bad", 1, "", "SyntaxError: Unexpected token ';' (bad.js, line 1)", "code"),
        ("node-miss", 1, "", "Error: Cannot find module 'express' (miss.js, line 1)", "code"),
        ("node-throw", 1, "", "TypeError: nothing works (throw.js, line 1)", "code"),
        ("node-rej", 1, "", "Error: db is away (rej.js, line 1)", "unknown"),
        (
            "node-mjs",
            1,
            "",
            "Error: Cannot find package 'nothere' imported from /app/m.mjs",
            "code",
        ),
        (
            "node-use",
            1,
            "",
            "Error: listen EADDRINUSE: address already in use :::5999 (use.js, line 1)",
            "code",
        ),
        ("java-throw", 1, "", "IllegalStateException: no config", "unknown"),
        (
            "rust",
            101,
            "",
            "panicked: index out of bounds: the len is 0 but the index is 3 (p.rs, line 1)",
            "unknown",
        ),
        (
            "five-live",
            None,
            "",
            "NameError: name 'undefined_name' is not defined (five.py, line 5)",
            "code",
        ),
        ("shell-interp", 127, "", "there is no program pythonx in the slug", "code"),
    ],
)
def test_the_cause_stands_in_what_the_program_printed(
    file: str, exit_code: int | None, command: str, what: str, mends: str
) -> None:
    cause = cause_of(printed(file), exit_code, command)
    assert cause is not None
    assert (cause.what, str(cause.mends), cause.certain) == (what, mends, True)


@pytest.mark.parametrize(
    ("file", "exit_code", "last"),
    [
        ("handled", 1, "no queue is configured"),
        ("npm-missing", 254, ""),
    ],
)
def test_what_is_not_certain_is_only_quoted(file: str, exit_code: int, last: str) -> None:
    cause = cause_of(printed(file), exit_code)
    assert (cause.what if cause else "") == last
    assert cause is None or not cause.certain


RUBY = """\
<internal:/usr/lib/ruby/3.1.0/rubygems/core_ext/kernel_require.rb>:85:in `require': cannot load such file -- sinatra (LoadError)
\tfrom <internal:/usr/lib/ruby/3.1.0/rubygems/core_ext/kernel_require.rb>:85:in `require'
\tfrom /app/app.rb:3:in `<main>'"""

GO = """\
panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x48f2a4]

goroutine 1 [running]:
main.main()
\t/src/main.go:9 +0x24
exit status 2"""

PSYCOPG = """\
Traceback (most recent call last):
  File "/app/manage.py", line 22, in <module>
    main()
  File "/opt/venv/lib/python3.11/site-packages/psycopg2/__init__.py", line 122, in connect
    conn = _connect(dsn, connection_factory=connection_factory, **kwasync)
psycopg2.OperationalError: connection to server at "db" (10.0.0.7), port 5432 failed: Connection refused
\tIs the server running on that host and accepting TCP/IP connections?
"""

PHP = """\
PHP Fatal error:  Uncaught Error: Class "Shop" not found in /app/index.php:3
Stack trace:
#0 {main}
  thrown in /app/index.php on line 3"""


@pytest.mark.parametrize(
    ("said", "exit_code", "what", "mends"),
    [
        (
            "sh: 1: gunicorn: not found",
            127,
            "there is no program gunicorn in the slug: add it to requirements.txt",
            "code",
        ),
        (
            "/bin/sh: 1: exec: waitress-serve: not found",
            127,
            "there is no program waitress-serve in the slug: add waitress to requirements.txt",
            "code",
        ),
        (
            "bash: line 1: npm: command not found",
            127,
            "there is no program npm in the slug",
            "code",
        ),
        (
            "[FATAL tini (7)] exec nothere failed: No such file or directory",
            127,
            "there is no program nothere in the image",
            "code",
        ),
        (
            "[FATAL tini (7)] exec ./start.sh failed: Permission denied",
            126,
            "./start.sh is not executable",
            "code",
        ),
        ("bash: line 1: ./src: Is a directory", 126, "./src is a directory", "code"),
        ("sh: 1: ./start.sh: Permission denied", 126, "./start.sh is not executable", "code"),
        (
            "/usr/bin/env: 'python\\r': No such file or directory",
            127,
            r"a script asks for python\r, for its lines end as on Windows",
            "code",
        ),
        (
            (
                "INFO:     Started parent process [8]\n"
                'ERROR:    Error loading ASGI app. Could not import module "main".\n'
                "INFO:     Waiting for child process [11]\n"
                "ERROR:    Child process [11] failed to start, stopping the parent process.\n"
                "INFO:     Stopping parent process [8]"
            ),
            0,
            'Error loading ASGI app. Could not import module "main".',
            "code",
        ),
        (
            (
                "Failed to find attribute 'application' in 'app'.\n"
                "[2026-11-28 07:34:09 +0000] [10] [INFO] Worker exiting (pid: 10)\n"
                "Traceback (most recent call last):\n"
                '  File "/opt/venv/bin/gunicorn", line 10, in <module>\n'
                '  File "/opt/venv/lib/python3.13/site-packages/gunicorn/arbiter.py", line 485, in stop\n'
                "gunicorn.errors.HaltServer: <HaltServer 'App failed to load.' 4>"
            ),
            1,
            "Failed to find attribute 'application' in 'app'.",
            "code",
        ),
        (
            (
                "  + Exception Group Traceback (most recent call last):\n"
                '  |   File "/app/app.py", line 1, in <module>\n'
                '  |     raise ExceptionGroup("many",[ValueError("a"),TypeError("b")])\n'
                "  | ExceptionGroup: many (2 sub-exceptions)\n"
                "  +-+---------------- 1 ----------------\n"
                "    | ValueError: a\n"
                "    +---------------- 2 ----------------\n"
                "    | TypeError: b\n"
                "    +------------------------------------"
            ),
            1,
            "ExceptionGroup: many (2 sub-exceptions) (app.py, line 1)",
            "unknown",
        ),
        (
            (
                "  + Exception Group Traceback (most recent call last):\n"
                '  |   File "/app/app.py", line 9, in <module>\n'
                "  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)\n"
                "  +-+---------------- 1 ----------------\n"
                "    | Traceback (most recent call last):\n"
                '    |   File "/app/work.py", line 3, in work\n'
                "    | NameError: name 'shop' is not defined\n"
                "    +------------------------------------"
            ),
            1,
            "NameError: name 'shop' is not defined (work.py, line 3)",
            "code",
        ),
        (
            (
                "Traceback (most recent call last):\n"
                '  File "/app/manage.py", line 18, in main\n'
                "django.core.exceptions.ImproperlyConfigured: Error loading MySQLdb module.\n"
                "Did you install mysqlclient?"
            ),
            1,
            "ImproperlyConfigured: Error loading MySQLdb module. (manage.py, line 18)",
            "code",
        ),
        (
            (
                "Traceback (most recent call last):\n"
                '  File "/app/manage.py", line 18, in main\n'
                "django.core.exceptions.ImproperlyConfigured: The SECRET_KEY setting must not be"
                " empty."
            ),
            1,
            "ImproperlyConfigured: The SECRET_KEY setting must not be empty. (manage.py, line 18)",
            "config",
        ),
        (
            "/bin/sh: 2: ./start.sh: not found",
            127,
            "there is no file ./start.sh in the slug, or its first line names no interpreter",
            "code",
        ),
        (
            './start.py: 1: import: not found\n./start.py: 4: Syntax error: "(" unexpected',
            2,
            './start.py: 4: Syntax error: "(" unexpected',
            "code",
        ),
        (
            "/bin/sh: 2: Syntax error: Unterminated quoted string",
            2,
            "/bin/sh: 2: Syntax error: Unterminated quoted string",
            "code",
        ),
        (
            "./run: line 3: syntax error near unexpected token `fi'",
            2,
            "./run: line 3: syntax error near unexpected token `fi'",
            "code",
        ),
        ("/usr/bin/python: No module named gunicorn", 1, "No module named gunicorn", "code"),
        (RUBY, 1, "LoadError: cannot load such file -- sinatra (app.rb, line 3)", "code"),
        (
            GO,
            2,
            "panic: runtime error: invalid memory address or nil pointer dereference",
            "unknown",
        ),
        (
            PSYCOPG,
            1,
            'OperationalError: connection to server at "db" (10.0.0.7), port 5432 failed: Connection refused (manage.py, line 22)',
            "others",
        ),
        (
            PHP,
            255,
            'Fatal error: Uncaught Error: Class "Shop" not found in /app/index.php:3',
            "unknown",
        ),
        ("whatever it said", 139, "exit code 139 (SIGSEGV)", "unknown"),
        (
            "out of memory: 512 MB are all that it may use; PUSHDEPLOY_TASK_MEMORY_BYTES allows more",
            137,
            "killed for its memory: 512 MB are all that it may use",
            "memory",
        ),
    ],
)
def test_shells_signals_and_other_languages(
    said: str, exit_code: int, what: str, mends: str
) -> None:
    cause = cause_of(said.splitlines(), exit_code)
    assert cause is not None
    assert (cause.what, str(cause.mends), cause.certain) == (what, mends, True)


@pytest.mark.parametrize(
    ("said", "exit_code"),
    [
        ("Traceback (most recent call last):\nsomething else", 1),
        ("sh: 1: gunicorn: not found\ngiving up", 127),
        ("sh: 1: gunicorn: not found", 3),
        ("TypeError: of a library that goes on\n    at f (/app/a.js:1:1)\nstopping: no queue", 1),
        ("the table says: KeyError: 'SHOP'", 1),
        ("KeyError: 'SHOP'", 1),
    ],
)
def test_what_looks_like_a_cause_and_may_be_none_is_quoted_by_its_last_line(
    said: str, exit_code: int
) -> None:
    cause = cause_of(said.splitlines(), exit_code)
    assert cause == Cause(said.splitlines()[-1], certain=False)


def test_silence_is_no_cause() -> None:
    assert cause_of([], 3) is None
    assert cause_of(["", "-----"], 1) is None


def test_the_kernel_knows_better_than_the_log() -> None:
    cause = cause_of(printed("python-miss"), 1, memory_megabytes=256)
    assert cause == Cause("killed for its memory: 256 MB are all that it may use", Mends.MEMORY)


def test_a_very_long_last_line_is_cut() -> None:
    cause = cause_of(["x" * 5000], 1)
    assert cause is not None
    assert len(cause.what) == 200


def printed(name: str) -> list[str]:
    return (FAILURES / f"{name}.txt").read_text().splitlines()
