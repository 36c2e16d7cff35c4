"""A Dockerfile is read as instructions, as Docker's builders read it.

They differ among each other in two things, which is what a ``Dialect`` is for. The grammar is that
of https://docs.docker.com/reference/dockerfile/ and of BuildKit's parser.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

from pushdeploy.build.languages.dockerfile.words import (
    SPACES,
    flags_of,
    is_divided_alike,
    raw_words,
    unquoted,
)

_DIRECTIVE = re.compile(
    r"(?:#|//)[ \t\f\r]*([A-Za-z][A-Za-z0-9]*)[ \t\f\r]*=[ \t\f\r]*(.+?)[ \t\f\r]*"
)
_ESCAPE = "\\"
_BLANKS = re.compile(r"[ \t\v\f\r]+")
_HEREDOC = re.compile(r"[0-9]*<<(-?)([^<]*)")
_DELIMITER = re.compile(r"""[^'"\\$]+|'[^'"\\$]+'|"[^'"\\$]+\"""")
"""What ends a heredoc for every builder in the same way."""
_MAYBE_HEREDOC = re.compile(r"(?<!<)<<(?!<)")
_BEHIND_VARIABLE = re.compile(r"\$(\w+|\{\w+\})[0-9]*<<(?!<)")
"""Where a builder takes an unset variable for nothing, a heredoc begins there."""
_WITH_HEREDOC = frozenset({"ADD", "COPY", "RUN"})


@dataclass(frozen=True, slots=True)
class Dialect:
    """Old and new builders take a few things differently; a dialect says how one does.

    ``indented_comments`` are skipped within a continued instruction; ``doubled_escapes`` at the
    end of a line continue it; of ``returns`` there all are dropped, or one; and an escape that the
    file asks for is not always heeded, as behind another directive.
    """

    indented_comments: bool
    doubled_escapes: bool
    returns: bool
    escape_heeded: bool


DIALECTS = tuple(Dialect(*each) for each in product((True, False), repeat=4))


@dataclass(frozen=True, slots=True)
class Instruction:
    """``keyword`` in capitals; ``rest`` is what follows it and its ``flags`` (``--from=x``).

    ``is_ambiguous`` tells that builders may see other heredocs in it, or none: what follows may be
    a heredoc's text to one and instructions to another.
    """

    line: int
    keyword: str
    flags: Sequence[str]
    rest: str
    heredocs: Sequence[str] = ()
    is_ambiguous: bool = False

    def values_of(self, flag: str) -> Sequence[str]:
        """Return the value of each ``--flag=value``."""
        start = f"--{flag}="
        return [each[len(start) :] for each in self.flags if each.lower().startswith(start)]


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """``syntax`` is the image of the frontend that the file asks for, empty where it asks none."""

    syntax: str
    instructions: Sequence[Instruction]


def read(text: str, dialect: Dialect) -> Dockerfile:
    """All instructions, unknown ones too: whether they are right is the builder's to say."""
    lines = text.removeprefix("\ufeff").split("\n")
    directives = dict(_directives(lines))
    escape = directives.get("escape", _ESCAPE)[:1] if dialect.escape_heeded else _ESCAPE
    syntax = directives.get("syntax") or _syntax_as_json(text)
    return Dockerfile(syntax, list(_instructions(lines, escape, dialect)))


def instruction_of(line: int, text: str, heredocs: Sequence[str] = ()) -> Instruction:
    """An instruction from its logical line."""
    keyword, _, rest = _BLANKS.sub(" ", text.strip(SPACES), count=1).partition(" ")
    flags, rest = flags_of(rest)
    return Instruction(line, keyword.upper(), flags, rest.strip(SPACES), heredocs)


def triggered(instruction: Instruction) -> Instruction:
    """Return the instruction that an ``ONBUILD`` holds for another image; others are themselves."""
    while instruction.keyword == "ONBUILD":
        inner = instruction_of(instruction.line, instruction.rest)
        instruction = replace(
            inner, heredocs=instruction.heredocs, is_ambiguous=instruction.is_ambiguous
        )
    return instruction


def declared_arguments(text: str) -> frozenset[str]:
    """Names of all ``ARG`` in any stage: what a build argument of the name would be put into."""
    return frozenset(
        word.partition("=")[0]
        for dialect in DIALECTS
        for instruction in map(triggered, read(text, dialect).instructions)
        if instruction.keyword == "ARG"
        for word in raw_words(instruction.rest)
    )


def _syntax_as_json(text: str) -> str:
    """BuildKit takes it from ``{"syntax": "image"}`` too; whatever else such a file is, it is no
    Dockerfile."""
    return text.strip(SPACES) if text.lstrip(SPACES).startswith("{") else ""


def _directives(lines: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Of the comments at the top, the first of each name; a first line ``#!`` is passed over."""
    seen: set[str] = set()
    for number, line in enumerate(lines):
        match = _DIRECTIVE.fullmatch(line.lstrip(SPACES).rstrip("\r"))
        name = match.group(1).lower() if match else ""
        if match and name not in seen:
            seen.add(name)
            yield name, match.group(2)
        elif not (match or (number == 0 and line.startswith("#!"))):
            return


def _instructions(lines: Sequence[str], escape: str, dialect: Dialect) -> Iterator[Instruction]:
    at = 0
    while at < len(lines):
        begun = at + 1
        text = _whole(lines[at], dialect).lstrip(SPACES)
        at += 1
        if not text or text.startswith("#"):
            continue
        text, goes_on = _continued(text, escape, dialect)
        while goes_on and at < len(lines):
            line = _whole(lines[at], dialect)
            at += 1
            if not line.strip(SPACES) or _is_comment(line, dialect):
                continue
            more, goes_on = _continued(line, escape, dialect)
            text += more
        heredocs, at = _heredocs(text, lines, at)
        instruction = instruction_of(begun, text, heredocs)
        yield replace(instruction, is_ambiguous=_is_ambiguous(text))


def _whole(line: str, dialect: Dialect) -> str:
    return line.rstrip("\r") if dialect.returns else line.removesuffix("\r")


def _is_comment(line: str, dialect: Dialect) -> bool:
    return (line.lstrip(SPACES) if dialect.indented_comments else line).startswith("#")


def _continued(line: str, escape: str, dialect: Dialect) -> tuple[str, bool]:
    """A line without the character that continues it, and whether there was one."""
    bare = line.rstrip(" \t")
    if not bare.endswith(escape):
        return line, False
    shorter = bare[: -len(escape)]
    if shorter.endswith(escape) and not dialect.doubled_escapes:
        return line, False
    return shorter, True


def _is_ambiguous(text: str) -> bool:
    """Tell whether the heredocs of a line depend on the builder."""
    first = triggered(instruction_of(0, text))
    if first.keyword not in _WITH_HEREDOC or not _MAYBE_HEREDOC.search(text):
        return False
    if _BEHIND_VARIABLE.search(text) or not is_divided_alike(text):
        return True
    matches = map(_HEREDOC.fullmatch, raw_words(first.rest))
    return not all(_DELIMITER.fullmatch(each.group(2)) for each in matches if each and each[2])


def _heredocs(text: str, lines: Sequence[str], at: int) -> tuple[Sequence[str], int]:
    """The heredocs of an instruction, and the number of the line behind them."""
    first = triggered(instruction_of(0, text))
    if first.keyword not in _WITH_HEREDOC:
        return [], at
    found: list[str] = []
    for word in raw_words(first.rest):
        match = _HEREDOC.fullmatch(word)
        name = unquoted(match.group(2)) if match else ""
        if match is None or not name:
            continue
        body: list[str] = []
        while at < len(lines):
            line = lines[at].rstrip("\r")
            at += 1
            if (line.lstrip("\t") if match.group(1) else line) == name:
                break
            body.append(line)
        found.append("\n".join(body))
    return found, at
