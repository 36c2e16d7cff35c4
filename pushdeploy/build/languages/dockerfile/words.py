"""An instruction has words: its flags, those of a shell, and the variables within them."""

import csv
import re
from collections.abc import Mapping, Sequence

SPACES = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""What Go's unicode.IsSpace takes for a space. Python's isspace takes four more, and what it took
too many would hide a line from whoever checks the file."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?!]")
_QUOTES = "'\""


_PLAIN_VARIABLE = re.compile(r"\{[A-Za-z_][A-Za-z0-9_]*(:?[-+][^\s'\"\\${}<]*)?\}")
"""What every builder divides into words in the same way."""


class Undecidable(Exception):
    """A word has a value that only the builder knows."""


def flags_of(text: str) -> tuple[Sequence[str], str]:
    """The ``--flags`` at the beginning, without their quotes, and what follows them."""
    flags: list[str] = []
    at = 0
    while True:
        while at < len(text) and text[at] in SPACES:
            at += 1
        if not text.startswith("--", at):
            return flags, text[at:]
        word, at = _flag(text, at)
        if word == "--":
            return flags, text[at:]
        flags.append(word)


def _flag(text: str, at: int) -> tuple[str, int]:
    """A backslash takes the next character as it is, whatever the file's own escape is."""
    word = quote = ""
    while at < len(text):
        char = text[at]
        at += 1
        if char == "\\":
            word += text[at : at + 1]
            at += 1
        elif quote:
            quote, word = ("", word) if char == quote else (quote, word + char)
        elif char in _QUOTES:
            quote = char
        elif char in SPACES:
            break
        else:
            word += char
    return word, at


def raw_words(text: str) -> Sequence[str]:
    """Words as a shell divides them, with their quotes and escapes left in."""
    words: list[str] = []
    word = quote = ""
    at = 0
    while at < len(text):
        char = text[at]
        if char == "\\" and quote != "'":
            word += text[at : at + 2]
            at += 2
            continue
        if quote:
            quote = "" if char == quote else quote
        elif char in _QUOTES:
            quote = char
        if char in SPACES and not quote:
            words += [word] if word else []
            word = ""
        else:
            word += char
        at += 1
    return [*words, word] if word else words


def is_divided_alike(text: str) -> bool:
    """Tell whether every builder finds the words of ``raw_words`` in a line.

    One that meets a quote or a brace without an end, or a modifier that is new to it, finds none.
    """
    quote = ""
    at = 0
    while at < len(text):
        char = text[at]
        at += 1
        if char == "\\" and quote != "'":
            at += 1
        elif char in _QUOTES and quote in {"", char}:
            quote = "" if quote else char
        elif char == "$" and quote != "'" and text.startswith("{", at):
            variable = _PLAIN_VARIABLE.match(text, at)
            if variable is None:
                return False
            at = variable.end()
    return not quote


def unquoted(word: str) -> str:
    """A word with its quotes and escapes gone, and its variables as they stand."""
    made = quote = ""
    at = 0
    while at < len(word):
        char = word[at]
        at += 1
        if char == "\\" and quote != "'":
            made += word[at : at + 1]
            at += 1
        elif char in _QUOTES and quote in {"", char}:
            quote = "" if quote else char
        else:
            made += char
    return made


def expanded(word: str, variables: Mapping[str, str]) -> str:
    """A word with its quotes gone and its variables replaced; unset ones are empty.

    ``Undecidable`` for what only newer builders know, such as ``${name#pattern}``.
    """
    text, rest = _expand(word, variables, "")
    assert not rest
    return text


def _expand(text: str, variables: Mapping[str, str], until: str) -> tuple[str, str]:
    """Up to the character ``until``, and what comes behind it."""
    made = quote = ""
    while text:
        char, text = text[0], text[1:]
        if char == until and not quote:
            return made, text
        if char == "\\" and quote != "'":
            made, text = made + text[:1], text[1:]
        elif char == "$" and quote != "'":
            value, text = _variable(text, variables)
            made += value
        elif char in _QUOTES and quote in {"", char}:
            quote = "" if quote else char
        else:
            made += char
    if until or quote:
        raise Undecidable
    return made, ""


def _variable(text: str, variables: Mapping[str, str]) -> tuple[str, str]:
    """The value of the variable at the beginning of ``text``, behind its ``$``; and the rest."""
    braced = text.startswith("{")
    match = _NAME.match(text, 1 if braced else 0)
    if match is None:
        if braced:
            raise Undecidable
        return "$", text
    value = variables.get(match.group())
    rest = text[match.end() :]
    if not braced:
        return value or "", rest
    if rest.startswith("}"):
        return value or "", rest[1:]
    form = re.match(r":?[-+]", rest)
    if form is None:
        raise Undecidable
    word, rest = _expand(rest[form.end() :], variables, "}")
    is_there = bool(value) if form.group().startswith(":") else value is not None
    if form.group().endswith("-"):
        return (value or "") if is_there else word, rest
    return word if is_there else "", rest


def fields_of(mount: str) -> Sequence[tuple[str, str]]:
    """The fields of a ``--mount``, names in small letters: lines of CSV, as the builder reads it.

    ``Undecidable`` for one that has no single line.
    """
    try:
        rows = list(csv.reader([mount], strict=True))
    except csv.Error as error:
        raise Undecidable from error
    if len(rows) != 1:
        raise Undecidable
    pairs = (field.partition("=") for field in rows[0])
    return [(name.strip().lower(), value.strip()) for name, _, value in pairs]
