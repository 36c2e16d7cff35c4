"""A program that died of an error of its own has printed it in the form of its language. Pure.

Each reader takes the last lines of a log, oldest first, without what servers say after it. None
means that the log does not end with such an error: then nothing is claimed.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_FOLLOWING_LINES = 6
"""How many lines of its own message may stand behind the line that names a Python error."""

_TRACEBACK = "Traceback (most recent call last):"
_GROUP_RULE = re.compile(r"\s+\+-[+-]")
_FRAME = re.compile(r'\s+File "(?P<file>[^"]+)", line (?P<line>\d+)(?P<caller>, in .+)?')
_PYTHON_ERROR = re.compile(r"(?:[A-Za-z_]\w*\.)*(?P<name>[A-Za-z_]\w*)(?:: (?P<said>.*))?")
_NODE_ERROR = re.compile(r"(?:Uncaught )?(?P<name>[A-Z]\w*)(?: \[\w+\])?: (?P<said>.+)")
_NODE_PLACE = re.compile(r"(?:file://)?(?P<file>/[^:\s]+):(?P<line>\d+)")
_NODE_FRAME = re.compile(r"\s+at (?:.* \()?(?:file://)?(?P<file>/[^:\s()]+):(?P<line>\d+):\d+\)?$")
_RUBY_ERROR = re.compile(
    r"(?P<file>[^\s:]+|<internal:[^>]+>):(?P<line>\d+):in [`'].*?': "
    r"(?P<said>.+) \((?P<name>\w[\w:]*)\)"
)
_RUBY_FRAME = re.compile(r"\s+(?:\d+: )?from (?P<file>[^\s:]+|<internal:[^>]+>):(?P<line>\d+):in ")
_JAVA_ERROR = re.compile(
    r'Exception in thread "[^"]*" (?:[a-z]\w*\.)*(?P<name>\w+)(?:: (?P<said>.+))?'
)
_RUST_PANIC = re.compile(r"thread '[^']*'(?: \(\d+\))? panicked at (?P<rest>.+)")
_GO_PANIC = re.compile(r"panic: (?P<said>.+)")
_PHP_ERROR = re.compile(r"(?:PHP )?(?P<said>(?:Fatal|Parse) error: .+)")
_LOG_LINE = re.compile(r"\[|\d{4}-\d\d-\d\d|.*\d\d:\d\d:\d\d|(?:DEBUG|INFO|WARN|ERROR|CRITICAL)")
_LIBRARIES = re.compile(r"site-packages|dist-packages|/lib/python\d|/usr/|/bin/|<|node:|/gems/")


@dataclass(frozen=True, slots=True)
class Raised:
    """An error that nobody caught: its name, what it says, and where in the app it came up.

    ``inner`` is the file of the innermost frame, be it a library's; ``importer`` is the same
    without the frames of Python's own import.
    """

    name: str
    said: str = ""
    file: str = ""
    line: int = 0
    inner: str = ""
    importer: str = ""

    @property
    def is_of_django_settings(self) -> bool:
        """Tell whether Django has looked for the module that DJANGO_SETTINGS_MODULE names."""
        return self.importer.endswith("/django/conf/__init__.py")

    def __str__(self) -> str:
        what = f"{self.name}: {self.said}" if self.said else self.name
        return f"{what} ({self.file}, line {self.line})" if self.file else what


def raised(lines: Sequence[str], exit_code: int | None) -> Raised | None:
    """The error that the log ends with, in whichever language."""
    return (
        _group(lines, exit_code)
        or _python(lines, exit_code)
        or _node(lines)
        or _ruby(lines)
        or _go(lines)
        or _rust(lines)
        or _java(lines)
        or _php(lines)
    )


def _python(lines: Sequence[str], exit_code: int | None) -> Raised | None:
    """The last traceback, which ends with the first line that is not indented.

    An error of syntax in the program's own file comes without the word Traceback.
    """
    begin = _last(lines, lambda text: text.endswith(_TRACEBACK))
    if begin is None:
        begin = _last(lines, _is_place_of_syntax_error)
        begin = None if begin is None else begin - 1
    if begin is None:
        return None
    frames: list[re.Match[str]] = []
    for at in range(begin + 1, len(lines)):
        text = lines[at]
        if text[:1].isspace() or not text:
            frames += [found for found in [_FRAME.match(text)] if found]
            continue
        error = _PYTHON_ERROR.fullmatch(text.strip())
        rest = lines[at + 1 :]
        if not frames or error is None or not _belongs(rest, text, exit_code):
            return None
        return _of_frames(error["name"], error["said"] or "", frames)
    return None


def _group(lines: Sequence[str], exit_code: int | None) -> Raised | None:
    """An exception group of Python; the one error in it where there is no other.

    Its traceback stands behind bars, that of each error in it is a step further to the right.
    """
    begin = _last(lines, lambda text: text.startswith("  + Exception Group Traceback"))
    if begin is None:
        return None
    rest = lines[begin + 1 :]
    ends = [at for at, text in enumerate(rest) if _GROUP_RULE.match(text)]
    own = _behind_bars(rest[: ends[0]] if ends else rest)
    if len(ends) == 2 and (only := _python(_behind_bars(rest[ends[0] + 1 : ends[1]]), exit_code)):
        return only
    return _python([_TRACEBACK, *own], exit_code)


def _behind_bars(lines: Sequence[str]) -> Sequence[str]:
    return [text.partition("| ")[2] for text in lines]


def _is_place_of_syntax_error(text: str) -> bool:
    found = _FRAME.fullmatch(text)
    return found is not None and found["caller"] is None


def _belongs(rest: Sequence[str], error: str, exit_code: int | None) -> bool:
    """Tell whether ``rest`` is the error's own message, and not what the program said
    afterwards.

    An error that nobody caught ends Python with 1; with another code the program went on.
    """
    more = [text for text in rest if text.strip() and not text[0].isspace()]
    more = [text for text in more if text.partition(" (")[0] not in error]
    if not more:
        return True
    own = not any(map(_LOG_LINE.match, more))
    return own and exit_code in {1, None} and len(rest) <= _FOLLOWING_LINES


def _of_frames(name: str, said: str, frames: Sequence[re.Match[str]]) -> Raised:
    inner = frames[-1]["file"]
    importers = (frame["file"] for frame in reversed(frames))
    importer = next((file for file in importers if "importlib" not in file), "")
    for frame in reversed(frames):
        syntax = frame is frames[-1] and frame["caller"] is None
        if syntax or not _LIBRARIES.search(frame["file"]):
            file, line = _shown(frame["file"]), int(frame["line"])
            return Raised(name, said, file, line, inner, importer)
    return Raised(name, said, inner=inner, importer=importer)


def _node(lines: Sequence[str]) -> Raised | None:
    """The last line that names an error and has a stack below it, up to the end of the log."""
    at = _last(lines, lambda text: _NODE_ERROR.fullmatch(text) is not None)
    if at is None:
        return None
    below = [text for text in lines[at + 1 :] if text.strip()]
    stack = [text for text in below if text.startswith("    at ")]
    if not stack or any(_NODE_ERROR.fullmatch(text) for text in below):
        return None
    if any(not _of_a_stack(text) for text in below):
        return None
    error = _NODE_ERROR.fullmatch(lines[at])
    assert error is not None
    places = map(_NODE_FRAME.match, stack)
    own = [found for found in places if found and "node_modules" not in found["file"]]
    if error["name"] == "SyntaxError":
        own = [found for text in lines[:at] if (found := _NODE_PLACE.fullmatch(text))] or own
    file, line = (_shown(own[0]["file"]), int(own[0]["line"])) if own else ("", 0)
    return Raised(error["name"], error["said"], file, line)


def _of_a_stack(text: str) -> bool:
    """What Node prints below an error: frames, its properties, the files that required it."""
    return (
        text[0].isspace()
        or text in {"}", "Require stack:"}
        or text.startswith(("- ", "Emitted 'error' event", "Node.js v"))
    )


def _ruby(lines: Sequence[str]) -> Raised | None:
    at = _last(lines, lambda text: _RUBY_ERROR.match(text) is not None)
    if at is None or any(not _RUBY_FRAME.match(text) for text in lines[at + 1 :] if text.strip()):
        return None
    error = _RUBY_ERROR.match(lines[at])
    assert error is not None
    for place in [error, *filter(None, map(_RUBY_FRAME.match, lines[at + 1 :]))]:
        if not _LIBRARIES.search(place["file"]):
            return Raised(error["name"], error["said"], _shown(place["file"]), int(place["line"]))
    return Raised(error["name"], error["said"])


def _go(lines: Sequence[str]) -> Raised | None:
    at = _last(lines, lambda text: _GO_PANIC.match(text) is not None)
    if at is None or not any(text.startswith("goroutine ") for text in lines[at + 1 :]):
        return None
    return Raised(lines[at].strip())


def _rust(lines: Sequence[str]) -> Raised | None:
    at = _last(lines, lambda text: _RUST_PANIC.match(text) is not None)
    if at is None:
        return None
    panic = _RUST_PANIC.match(lines[at])
    assert panic is not None
    place = re.fullmatch(r"(?P<file>[^\s:]+):(?P<line>\d+):\d+:", panic["rest"])
    if place is None or at + 1 >= len(lines):
        return Raised(f"panicked at {panic['rest']}")
    return Raised("panicked", lines[at + 1].strip(), place["file"], int(place["line"]))


def _java(lines: Sequence[str]) -> Raised | None:
    at = _last(lines, lambda text: _JAVA_ERROR.match(text) is not None)
    if at is None or any(not text[0].isspace() for text in lines[at + 1 :] if text[:8].strip()):
        return None
    error = _JAVA_ERROR.match(lines[at])
    assert error is not None
    return Raised(error["name"], error["said"] or "")


def _php(lines: Sequence[str]) -> Raised | None:
    at = _last(lines, lambda text: _PHP_ERROR.match(text) is not None)
    if at is None or any(
        not re.match(r"Stack trace:|#\d+ |\s+thrown in ", text) for text in lines[at + 1 :]
    ):
        return None
    error = _PHP_ERROR.match(lines[at])
    assert error is not None
    return Raised(re.sub(r"\s+", " ", error["said"]))


def _last(lines: Sequence[str], wanted: Callable[[str], bool]) -> int | None:
    return next((at for at in reversed(range(len(lines))) if wanted(lines[at])), None)


def _shown(file: str) -> str:
    """As the app's own developer calls it."""
    return file.removeprefix("/app/")
