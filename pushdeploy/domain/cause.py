"""The cause of a command's end is read from its exit code and the last lines of its log. Pure.

What is not certain is not claimed: then the last line of the log stands for itself.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pushdeploy.domain.packages import PACKAGES, PROGRAMS, lacking_package
from pushdeploy.domain.shell import signal_name, signal_of
from pushdeploy.domain.tracebacks import Raised, raised

LINES = 200
"""How many of the last lines are worth reading: a long traceback with what a server says after."""

_LONGEST_QUOTE = 200

_SERVERS_FAREWELL = re.compile(
    r"\[[^\]]+\] \[\d+\] \[[A-Z]+\] (?:Worker exiting|Worker \(pid|Shutting down|Reason: "
    r"|Control socket|Handling signal|Booting worker)"
    r"|ERROR:\s+Application startup failed|ERROR:\s+Child process \[\d+\] failed to start"
    r"|INFO:\s+(?:Stopping parent process|Waiting for child process|Started parent process)"
    r"|Node\.js v\d|exit status \d+$"
    r"|BEGIN failed--|npm (?:ERR!|error)"
)
"""What gunicorn, Node, Perl, npm and their like say when all has been said."""

_MASTERS_FRAME = re.compile(r'\s+File "[^"]*/bin/gunicorn", line')
_ACCESS = re.compile(r'.*"(?:GET|HEAD) \S+(?: HTTP/[\d.]+)?" 5\d\d')

_SHELL = r"(?:/bin/)?(?:sh|bash|dash|ash): (?:(?:line )?\d+: )?(?:exec: )?(?P<program>[^:\s]+): "
_NOT_FOUND = re.compile(_SHELL + r"(?:command )?not found")
_NOT_ALLOWED = re.compile(_SHELL + r"[Pp]ermission denied")
_DIRECTORY = re.compile(_SHELL + r"[Ii]s a directory")
_NO_FILE = re.compile(_SHELL + r"No such file or directory")
_TINI = re.compile(r"\[FATAL tini \(\d+\)\] exec (?P<program>\S+) failed: (?P<why>.+)")
_NO_INTERPRETER = re.compile(r"(?:/usr/bin/)?env: .(?P<program>[^\s:]+).: No such file")
_NO_SCRIPT = re.compile(r"\S*python[\d.]*: can't open file '(?P<file>[^']+)'.*")
_NO_MAIN = re.compile(r"\S*python[\d.]*: No module named '?(?P<name>[\w.]+)'?")
_SETTINGS_REMEDY = (
    "DJANGO_SETTINGS_MODULE names it: correct that where it is set, in the code or by"
    " config:set, and push"
)
_NOT_FOR_A_SHELL = re.compile(
    r"(?P<script>[^:\s]+): (?:line )?\d+: (?:Syntax error: |syntax error\b|unexpected EOF)"
)
_SCRIPT_REMEDY = (
    "commit it, with Unix line ends and a first line such as #!/bin/sh or"
    " #!/usr/bin/env python3, and push again"
)
_PROGRAM_REMEDY = "correct the command, or bring the program along in a Dockerfile, and push again"
_SHELLS = frozenset({"ash", "bash", "dash", "sh"})
_QUOTES_REMEDY = "correct the command in the Procfile, its quotes first, and push again"
_TOO_MUCH_MEMORY = re.compile(r"out of memory: (\d+) MB are all that it may use")
_TAKEN = re.compile(r"address already in use|EADDRINUSE|Connection in use:", re.IGNORECASE)
_DOCKER_EXEC = re.compile(r'exec: "(?P<program>[^"]+)": (?P<why>.+?)(?:: unknown)?$')

_FORGOTTEN = re.compile(
    r"Set the (?P<a>[A-Z][A-Z0-9_]*) environment variable"
    r"|(?P<b>[A-Z][A-Z0-9_]*) not found\. Declare it as envvar"
    r"|The (?P<d>SECRET_KEY) setting must not be empty"
    r"|^'(?P<c>[A-Z][A-Z0-9_]*)'$"
)
_AWAY = re.compile(
    r"connection refused|could not translate host name|name or service not known|ECONNREFUSED"
    r"|temporary failure in name resolution|ENOTFOUND|no route to host|connection timed out"
    r"|server closed the connection|can't connect to (?:local )?(?:mysql )?server",
    re.IGNORECASE,
)
_NOT_IN_APP = re.compile(
    r"Failed to find attribute '|Failed to parse '|Error loading ASGI app\.|Could not import '"
    r"|Unable to access jarfile|Could not find or load main class|The module \S+ was not found"
)
"""A server or a launcher does not find what it was told to run."""

_NO_NODE_MODULE = re.compile(r"Cannot find (?:module|package) '(?P<name>[^'./][^']*)'")
_NO_MODULE = re.compile(r"No module named '?(?P<name>[\w.]+)'?$")

_CODE = frozenset(
    {
        "AttributeError",
        "ClassNotFoundException",
        "ImportError",
        "IndentationError",
        "IndexError",
        "LoadError",
        "ModuleNotFoundError",
        "NameError",
        "NoClassDefFoundError",
        "NoMethodError",
        "NotImplementedError",
        "NullPointerException",
        "RecursionError",
        "ReferenceError",
        "SyntaxError",
        "TabError",
        "TypeError",
        "UnboundLocalError",
        "ZeroDivisionError",
    }
)
"""Errors that only other code mends."""


class Mends(StrEnum):
    """A cause is mended by a push only, by config without one, by somebody else, or by more
    memory.
    """

    CODE = "code"
    CONFIG = "config"
    OTHERS = "others"
    MEMORY = "memory"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Cause:
    """The text ``what`` completes "it does not start: ", where it is ``certain``, else quotes
    the log.

    ``remedy`` is what to do; empty where ``mends`` says it all. ``variable`` is a config var that
    the app wants.
    """

    what: str
    mends: Mends = Mends.UNKNOWN
    remedy: str = ""
    certain: bool = True
    variable: str = ""

    def hint(self, app: str) -> str:
        """Return the next thing to do or to type. A retry is for what can change without a push."""
        retry = f"releases:retry {app}"
        if self.mends is Mends.CODE:
            return self.remedy or "mend it, commit and push again"
        if self.mends is Mends.CONFIG:
            return f"config:set {app} {self.variable or 'NAME'}=...  and then:  {retry}"
        if self.mends is Mends.OTHERS:
            return f"when that can be reached:  {retry}"
        if self.mends is Mends.MEMORY:
            return f"PUSHDEPLOY_TASK_MEMORY_BYTES gives it more memory; then:  {retry}"
        return (
            f"mend it and push again; when config or data were at fault, without a push:  {retry}"
        )


def cause_of(
    lines: Sequence[str], exit_code: int | None, command: str = "", *, memory_megabytes: int = 0
) -> Cause | None:
    """Find why ``command`` ended with ``exit_code`` (None: it runs still), by the end of its
    log.

    ``memory_megabytes`` is its limit where the kernel killed it for its memory, else 0. None when
    neither says anything.
    """
    lines = before_the_masters_end([text.rstrip() for text in lines])
    if starved := _starved(lines, memory_megabytes):
        return starved
    if exit_code is not None and (killed := _of_signal(exit_code)):
        return killed
    said = [text for text in lines if text and not _SERVERS_FAREWELL.match(text)]
    if exit_code is None:
        said = [text for text in said if not _ACCESS.match(text)]
    if exit_code in {126, 127}:
        found = _of_the_shell(said)
        if found is not None:
            return found
    error = raised(said, exit_code)
    if error is not None:
        return _of_error(error, command)
    return _of_last_line(lines, said, command)


def before_the_masters_end(lines: Sequence[str]) -> Sequence[str]:
    """Cut off the traceback with which gunicorn's master ends, for a worker told the cause."""
    if not any(text.startswith("gunicorn.errors.HaltServer:") for text in lines[-3:]):
        return lines
    master = (at for at, text in enumerate(lines) if _MASTERS_FRAME.match(text))
    return lines[: max(next(master, len(lines)) - 1, 0)]


def cause_of_refusal(message: str) -> Cause | None:
    """Find why Docker could not start a container, where it is the image's own fault."""
    found = _DOCKER_EXEC.search(message)
    if found is None:
        return None
    return _not_in_image(found["program"], found["why"])


def _not_in_image(program: str, why: str) -> Cause:
    if "permission denied" in why.lower():
        what = f"{program} is not executable"
        return Cause(what, Mends.CODE, f"chmod +x {program} in the Dockerfile, and push again")
    if program == "/bin/sh":
        what = "the image has no /bin/sh, through which the Procfile's commands run"
        return Cause(what, Mends.CODE, "use a base image with a shell, or do without a Procfile")
    what = f"there is no program {program} in the image"
    return Cause(what, Mends.CODE, "correct the CMD or ENTRYPOINT of the Dockerfile and push again")


def _of_signal(exit_code: int) -> Cause | None:
    """``exit code 139 (SIGSEGV)``; None when the code is no signal's."""
    if told := signal_of(exit_code):
        return Cause(f"exit code {exit_code}: it was told to stop ({told})")
    name = signal_name(exit_code)
    return Cause(f"exit code {exit_code} ({name})") if name else None


def _starved(lines: Sequence[str], memory_megabytes: int) -> Cause | None:
    for text in reversed(lines[-3:]):
        if found := _TOO_MUCH_MEMORY.search(text):
            memory_megabytes = int(found[1])
    if not memory_megabytes:
        return None
    limit = f"{memory_megabytes} MB are all that it may use"
    return Cause(f"killed for its memory: {limit}", Mends.MEMORY)


def _of_the_shell(said: Sequence[str]) -> Cause | None:
    """Of the last line, for the shell has nothing more to say after it."""
    last = said[-1] if said else ""
    if found := (_NOT_FOUND.fullmatch(last) or _NO_INTERPRETER.match(last)):
        return _no_program(found["program"])
    if found := _TINI.match(last):
        return _not_in_image(found["program"], found["why"])
    if found := _NO_FILE.fullmatch(last):
        return Cause(f"there is no file {found['program']} in the slug", Mends.CODE)
    if found := _DIRECTORY.fullmatch(last):
        remedy = "name the program in it, commit and push"
        return Cause(f"{found['program']} is a directory", Mends.CODE, remedy)
    if found := _NOT_ALLOWED.fullmatch(last):
        program = found["program"]
        remedy = f"git update-index --chmod=+x {program.removeprefix('./')}, commit and push"
        return Cause(f"{program} is not executable", Mends.CODE, remedy)
    return None


def _no_program(program: str) -> Cause:
    if program.endswith((r"\r", "\r")):
        what = f"a script asks for {program.rstrip()}, for its lines end as on Windows"
        return Cause(what, Mends.CODE, "save it with Unix line ends, commit and push")
    what = f"there is no program {program} in the slug"
    if package := PROGRAMS.get(program):
        own = "it" if package == program else package
        return Cause(f"{what}: add {own} to requirements.txt", Mends.CODE, "commit that and push")
    if "/" in program:
        what = f"there is no file {program} in the slug, or its first line names no interpreter"
        return Cause(what, Mends.CODE, _SCRIPT_REMEDY)
    return Cause(what, Mends.CODE, _PROGRAM_REMEDY)


def _of_error(error: Raised, command: str) -> Cause:
    what, variable = _shortened(str(error)), _forgotten(error)
    if variable:
        return Cause(what, Mends.CONFIG, variable=variable)
    if _AWAY.search(error.said):
        return Cause(what, Mends.OTHERS)
    remedy = _remedy(error, command)
    return Cause(what, Mends.CODE if remedy else Mends.UNKNOWN, remedy)


def _remedy(error: Raised, command: str) -> str:
    """What to change in the code; empty where it may not be the code."""
    if missing := _NO_MODULE.search(error.said):
        told = _module_remedy(missing["name"], command)
        return _SETTINGS_REMEDY if error.is_of_django_settings else told
    if package := lacking_package(error.said):
        return f"add {package} to requirements.txt, commit and push again"
    if missing := _NO_NODE_MODULE.match(error.said):
        return f"add {missing['name']} to package.json, commit and push again"
    if _TAKEN.search(error.said):
        return "let one process of the container listen on PORT, and push again"
    if error.name in _CODE or error.said.startswith("Cannot find module"):
        return f"mend {error.file or 'it'}, commit and push again"
    return ""


def _forgotten(error: Raised) -> str:
    """The config var that the app asked the environment for in vain; empty when none."""
    found = _FORGOTTEN.search(error.said)
    if found is None:
        return ""
    if found["c"] and (
        error.name != "KeyError" or not error.inner.endswith(("os.py", "<frozen os>"))
    ):
        return ""
    return found["a"] or found["b"] or found["c"] or found["d"] or ""


def _module_remedy(name: str, command: str) -> str:
    top = name.partition(".")[0]
    known = name in PROGRAMS or name in PACKAGES
    if not known and re.search(rf"(?<![\w.]){re.escape(name)}(?![\w.])", command):
        return f"the Procfile names it ({command}): correct that, commit and push"
    if name != top:
        return f"{top} is there, {name} is not: correct the name, commit and push"
    package = PACKAGES.get(name, name)
    return f"add {package} to requirements.txt; if {name} is the app's own, commit it; then push"


def _of_last_line(lines: Sequence[str], said: Sequence[str], command: str) -> Cause | None:
    """The last line with a word in it, without the mark of a log level before it."""
    npm = [text for text in lines if re.match(r"npm (?:ERR!|error) Missing script", text)]
    words = npm[-1:] or [text for text in said if re.search(r"\w", text)]
    if not words:
        return None
    last = re.sub(r"^(?:ERROR|CRITICAL|FATAL|Error):\s+", "", words[-1].strip())
    if found := _NO_SCRIPT.fullmatch(last):
        what = f"there is no file {found['file'].removeprefix('/app/')} in the slug"
        return Cause(what, Mends.CODE, "correct the Procfile or commit the file, and push again")
    if found := _NO_MAIN.fullmatch(last):
        what = f"No module named {found['name']}"
        return Cause(what, Mends.CODE, _module_remedy(found["name"], command))
    if found := _NOT_FOR_A_SHELL.match(last):
        own = found["script"].rpartition("/")[2] not in _SHELLS
        return Cause(_shortened(last), Mends.CODE, _SCRIPT_REMEDY if own else _QUOTES_REMEDY)
    if _NOT_IN_APP.match(last):
        remedy = f"the Procfile names it ({command}): correct that or the app, and push again"
        return Cause(_shortened(last), Mends.CODE, remedy if command else "")
    mends = Mends.OTHERS if _AWAY.search(last) else Mends.UNKNOWN
    return Cause(_shortened(last), mends, certain=False)


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_QUOTE else f"{text[: _LONGEST_QUOTE - 1]}…"
