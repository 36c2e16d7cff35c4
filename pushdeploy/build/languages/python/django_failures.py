"""A failed collectstatic is explained in one line, with the text to type or write next."""

import re
from collections.abc import Callable, Collection, Sequence

from pushdeploy.build.language import Circumstances
from pushdeploy.build.plan import Failure
from pushdeploy.domain.packages import PACKAGES, lacking_package
from pushdeploy.domain.tracebacks import Raised, raised

_SWITCH_OFF = "DISABLE_COLLECTSTATIC=1"
_VARIABLE = re.compile(
    r"'([A-Z][A-Z0-9_]*)'"  # KeyError of os.environ
    r"|Set the ([A-Z][A-Z0-9_]*) environment variable"  # django-environ
    r"|([A-Z][A-Z0-9_]*) not found\. Declare it as envvar.*"  # python-decouple
    r'|Environment variable "([A-Z][A-Z0-9_]*)" not set'  # environs
    r"|The (SECRET_KEY) setting must not be empty\.?"  # os.environ.get
)
_NO_MODULE = re.compile(r"(?:.*: )?No module named '?([\w.]+)'?(?:;.*)?")
_SETTINGS = "DJANGO_SETTINGS_MODULE"
_NO_ENGINE = "settings.DATABASES is improperly configured"
_UNFOUND = re.compile(r"The file '([^']+)' could not be found with .*")
_POSTPROCESSED = re.compile(r"Post-processing '([^']+)' failed!")
_MANIFEST = re.compile(r"Missing staticfiles manifest entry for '([^']+)'")
_CHECK = re.compile(r"(?:\S+: )?\(\w+\.E\d+\) .*")
_FORBIDDEN = re.compile(r"\[Errno \d+\] (?:Permission denied|Read-only.*): '([^']+)'")
_CONNECTION = {"OperationalError", "ConnectionError", "ConnectionRefusedError", "gaierror"}


def explained(
    lines: Sequence[str], circumstances: Circumstances, own: Collection[str]
) -> Failure | None:
    """The cause that the last lines of collectstatic tell; None where they tell none."""
    error = raised(_up_to_message(lines), exit_code=1)
    if error is None or error.name == "CommandError":
        return _said_by_django(lines)
    for explain in _EXPLANATIONS:
        failure = explain(error, lines, circumstances)
        if failure is not None:
            return failure
    without = circumstances.config_set(_SWITCH_OFF)
    return _failed_import(error, own) or _collecting(
        str(error), f"mend it and push, or go without:  {without}"
    )


def _up_to_message(lines: Sequence[str]) -> Sequence[str]:
    """Without the further lines of the last error's message: nothing is said after it."""
    begin = max((at for at, text in enumerate(lines) if text.startswith("Traceback (")), default=0)
    message = (at for at in range(begin + 1, len(lines)) if not lines[at][:1].isspace())
    return lines[: next(message, len(lines)) + 1]


def _failed_import(error: Raised, own: Collection[str]) -> Failure | None:
    """``own`` are the names in the app's top directory."""
    where = f"{error.file}, line {error.line}" if error.file else "it"
    if match := _NO_MODULE.fullmatch(error.said):
        module = match.group(1)
        top = module.partition(".")[0]
        if {f"{top}/", f"{top}.py"} & set(own):
            return _collecting(
                f"there is no module {module} in the source",
                f"is it in the commit?  git status --ignored  tells; imported in {where}",
            )
        unless = "" if top in PACKAGES else f"; if {top} is the app's own, commit it"
        return _collecting(
            f"there is no module {module} in the slug",
            f"add  {PACKAGES.get(top, top)}  to requirements.txt{unless}; then push",
        )
    if error.name == "ImportError":
        return _collecting(str(error), f"mend {where}, commit and push")
    return None


def _missing_variable(
    error: Raised, _lines: Sequence[str], circumstances: Circumstances
) -> Failure | None:
    match = _VARIABLE.fullmatch(error.said)
    if match is None or (match.group(1) and error.name != "KeyError"):
        return None
    name = next(filter(None, match.groups()))
    return _hidden(name, circumstances)


def _hidden(name: str, circumstances: Circumstances) -> Failure:
    """Config vars are not for builds, unless BUILD_ENV lets one in."""
    if name in circumstances.environment:
        return _collecting(
            f"the settings do not accept the {name} that BUILD_ENV lets into the build",
            f"set it to something else:  {circumstances.config_set(f'{name}=…')}",
        )
    if name in circumstances.config_names:
        return _collecting(
            f"the settings want the config var {name}, and a build sees only those that"
            " BUILD_ENV lists",
            circumstances.let_in(name),
        )
    return _collecting(
        f"the settings want the config var {name}, which is not set",
        circumstances.let_in(name, f"{name}=…"),
    )


def _without_database(
    error: Raised, _lines: Sequence[str], circumstances: Circumstances
) -> Failure | None:
    if error.said.startswith(_NO_ENGINE):
        return _hidden("DATABASE_URL", circumstances)
    if error.name in _CONNECTION:
        return _collecting(
            f"the app connects to something while it is imported ({error.name}: {error.said})",
            "a build has no database: connect when a request comes, or go without:  "
            + circumstances.config_set(_SWITCH_OFF),
        )
    return None


def _missing_package(
    error: Raised, _lines: Sequence[str], _circumstances: Circumstances
) -> Failure | None:
    if package := lacking_package(error.said):
        said = error.said.partition(". ")[0]
        return _collecting(said, f"add  {package}  to requirements.txt, commit and push")
    return None


def _missing_settings(
    error: Raised, _lines: Sequence[str], circumstances: Circumstances
) -> Failure | None:
    """The module of settings itself is named wrongly, which no package mends."""
    match = _NO_MODULE.fullmatch(error.said)
    if match is None or not error.is_of_django_settings:
        return None
    hint = f"correct it in {error.file or 'manage.py'} and in wsgi.py, commit and push"
    if _SETTINGS in circumstances.environment:
        hint = circumstances.config_set(f"{_SETTINGS}=…")
    return _collecting(
        f"{_SETTINGS} is wrong: there is no module {match.group(1)} in the source", hint
    )


def _missing_file(
    error: Raised, lines: Sequence[str], _circumstances: Circumstances
) -> Failure | None:
    if match := _UNFOUND.fullmatch(error.said):
        asking = [found for line in lines if (found := _POSTPROCESSED.search(line))]
        by = f"{asking[-1].group(1)} names" if asking else "a static file names"
        return _collecting(
            f"{by} {match.group(1)}, which is not among the static files",
            "add the file, or take the reference out, commit and push",
        )
    if match := _MANIFEST.search(error.said):
        return _collecting(
            f"{match.group(1)} is asked for and is not among the static files",
            "add the file, or take the reference out, commit and push",
        )
    return None


def _unwritable(
    error: Raised, _lines: Sequence[str], _circumstances: Circumstances
) -> Failure | None:
    match = _FORBIDDEN.fullmatch(error.said)
    if match is None or match.group(1).startswith("/app/"):
        return None
    return _collecting(
        f"a build may write below /app only, not to {match.group(1)}",
        "set  STATIC_ROOT = BASE_DIR / 'staticfiles'  in the settings, commit and push",
    )


_EXPLANATIONS: Sequence[Callable[[Raised, Sequence[str], Circumstances], Failure | None]] = (
    _missing_variable,
    _without_database,
    _missing_settings,
    _missing_package,
    _missing_file,
    _unwritable,
)


def _said_by_django(lines: Sequence[str]) -> Failure | None:
    """What ends without a traceback: a CommandError, or checks of the project that failed."""
    for line in lines:
        if line.startswith("CommandError: ") or _CHECK.fullmatch(line):
            return _collecting(line.removeprefix("CommandError: "), "")
    return None


def _collecting(why: str, hint: str) -> Failure:
    return Failure(f"collectstatic failed: {why}", hint)
