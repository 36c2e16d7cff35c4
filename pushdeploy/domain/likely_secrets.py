"""Leaves out of what people type all that looks like a secret: rather too much than too little.

A password that stands alone, with nothing beside it that says so, looks like any other word.
"""

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

HIDDEN = "…"
_MOST_CHARACTERS = 2000
_DEEPEST = 4

_ASSIGNMENT = re.compile(r"([A-Za-z_][A-Za-z0-9_.]*)\+?=(.+)", re.DOTALL)
_TELLING = (
    r"pass(?:word|wd|phrase|code|in|out)?|pwd|secret|token|credentials?|api[_-]?key|access[_-]?key"
    r"|private[_-]?key|auth(?:orization)?|cookie|bearer|signature|session|dsn|key|pin|otp"
)
_SECRET_OPTION = re.compile(rf"--?(?:[a-z0-9]+[_-])*(?:{_TELLING})", re.IGNORECASE)
_PLAIN_OPTION = re.compile(r"--?[A-Za-z0-9][A-Za-z0-9_-]*")

_PATTERNS = (
    # user:password@ of URLs, and a token in the place of both
    (re.compile(r"([a-z][a-z0-9+.-]*://)([^/\s:@]*):[^/\s@]*@", re.IGNORECASE), rf"\1\2:{HIDDEN}@"),
    (re.compile(r"([a-z][a-z0-9+.-]*://)[^/\s:@]{16,}@", re.IGNORECASE), rf"\1{HIDDEN}@"),
    # headers
    (
        re.compile(
            r"((?:proxy-)?authorization|(?:set-)?cookie|x-[a-z-]*(?:key|token|secret|auth)[a-z-]*)"
            r"(\s*:\s*)[^\r\n'\"]+",
            re.IGNORECASE,
        ),
        rf"\1\2{HIDDEN}",
    ),
    (re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9+/=._~-]{6,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    # assignments within code, JSON, query strings
    (
        re.compile(
            rf"((?:[a-z0-9]+[_-])*(?:{_TELLING})['\"]?\s*(?:=>|[=:])\s*)"
            r"(?:'[^']*'|\"[^\"]*\"|[^\s&,;)}'\"]+)",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
    # SQL
    (
        re.compile(r"\b(password|identified\s+by)(\s+)(?:'[^']*'|\"[^\"]*\")", re.IGNORECASE),
        rf"\1\2{HIDDEN}",
    ),
    # what can be known by its own look
    (
        re.compile(
            r"\b(?:gh[pousr]_|github_pat_|glpat-|sk[-_]|rk_|pk_|xox[a-z]-|AKIA|ASIA|AIza|SG\.|hf_"
            r"|npm_|pypi-|dop_v1_|shp[a-z]{2}_)[A-Za-z0-9._-]{8,}"
        ),
        HIDDEN,
    ),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9._-]+"), HIDDEN),
    (re.compile(r"-----BEGIN.*", re.DOTALL), HIDDEN),
)

_MYSQL = ("mysql", "mysqldump", "mysqladmin", "mysqlimport", "mariadb", "mariadb-dump")
_ATTACHED: Mapping[str, str] = {
    **dict.fromkeys(_MYSQL, "-p"),
    "sshpass": "-p",
    "mosquitto_pub": "-P",
}
"""Programs whose password stands right behind an option."""

_FOLLOWING: Mapping[str, Sequence[str]] = {
    "curl": ("-u", "-U", "-b", "--user", "--proxy-user"),
    "docker": ("-p",),
    "htpasswd": ("-b",),
    "http": ("-a",),
    "https": ("-a",),
    "ldapadd": ("-w",),
    "ldapmodify": ("-w",),
    "ldapsearch": ("-w",),
    "mongo": ("-p",),
    "mongodump": ("-p",),
    "mongorestore": ("-p",),
    "mongosh": ("-p",),
    "mosquitto_pub": ("-P",),
    "openssl": ("-k", "-K"),
    "redis-cli": ("-a",),
    "smbclient": ("-U",),
    "sqlcmd": ("-P",),
    "sshpass": ("-p",),
    "twine": ("-p",),
    "zip": ("-P",),
}
"""Programs whose password is the word behind an option."""

_WITH_USER = frozenset({"curl", "http", "https", "smbclient"})
"""Those where the word is ``user:password``."""

_ENDS_COMMAND = frozenset({"|", "||", "&", "&&", ";", "("})
_ATTACHED_ASSIGNMENT = re.compile(r"(-[A-Za-z][A-Za-z_][A-Za-z0-9_.]*)=.+", re.DOTALL)
"""``-eNAME=value``, as of our own run and of docker's."""

_ATTACHED_P = re.compile(r"(-p)(?![0-9]{1,5}$).+", re.DOTALL)


def without_values(words: Sequence[str]) -> list[str]:
    """``K=V`` words lose their values, whatever they are; the rest what looks like a secret."""
    return [_bounded(_masked(word, _DEEPEST)) for word in _shown(words)]


def masked(text: str) -> str:
    """A word, or a command line within one, without what looks like a secret."""
    return _bounded(_masked(text, _DEEPEST))


def _bounded(text: str) -> str:
    return text if len(text) <= _MOST_CHARACTERS else f"{text[:_MOST_CHARACTERS]} […]"


def _masked(text: str, depth: int) -> str:
    if not any(letter.isspace() for letter in text):
        return _value_hidden(text) or _matched(text)
    if depth == 0:
        return HIDDEN
    whole, text = text, _matched(text)
    try:
        words = _split(text)
    except ValueError:
        return f"{text.split()[0]} {HIDDEN}"
    shown = " ".join(_quoted(word, depth) for word in _shown(words))
    return shown if HIDDEN in shown else whole


def _split(text: str) -> list[str]:
    lexer = shlex.shlex(text, posix=True, punctuation_chars="|&;()")
    lexer.whitespace_split = True
    lexer.commenters = ""
    return list(lexer)


def _quoted(word: str, depth: int) -> str:
    """Shell operators as they are, command lines within quotes taken apart once more."""
    if any(letter.isspace() for letter in word):
        return f"'{_masked(word, depth - 1)}'"
    return _matched(word)


def _shown(words: Sequence[str]) -> Iterator[str]:
    """Word for word, with an eye on the program whose options they are."""
    program, secret_next = "", False
    for word in words:
        if word in _ENDS_COMMAND:
            program, secret_next = "", False
            yield word
        elif secret_next:
            secret_next = False
            yield _user_shown(word) if program in _WITH_USER else HIDDEN
        elif hidden := _value_hidden(word):
            yield hidden
        elif _PLAIN_OPTION.fullmatch(word) and _awaits_secret(program, word):
            secret_next = True
            yield word
        elif word.startswith("-"):
            yield _option_hidden(program, word)
        else:
            name = word.rpartition("/")[2]
            program = name if not program or name in _ATTACHED or name in _FOLLOWING else program
            yield word


def _awaits_secret(program: str, option: str) -> bool:
    known = option in _FOLLOWING.get(program, ())
    return known or (_SECRET_OPTION.fullmatch(option) is not None and option not in _FLAGS)


_FLAGS = frozenset({"-p", "-k", "--no-password", "-key", "-session"})


def _option_hidden(program: str, word: str) -> str:
    """``--token=…``, ``-p…``; every other ``--option=K=V`` too."""
    name, equals, value = word.partition("=")
    if equals and (_SECRET_OPTION.fullmatch(name) or "=" in value):
        return f"{name}={value.partition('=')[0] + '=' if '=' in value else ''}{HIDDEN}"
    if found := _ATTACHED_ASSIGNMENT.fullmatch(word):
        return f"{found[1]}={HIDDEN}"
    flag = _ATTACHED.get(program) or _attached_flag(program, word)
    if flag and word.startswith(flag) and len(word) > len(flag):
        return f"{flag}{HIDDEN}"
    if not word.startswith("--") and (found := _ATTACHED_P.fullmatch(word)):
        return f"{found[1]}{HIDDEN}"
    return word


def _attached_flag(program: str, word: str) -> str | None:
    """``-u`` of ``-ushop:secret``; openssl's options have whole words behind one dash."""
    short = word[:2]
    return short if short in _FOLLOWING.get(program, ()) and program != "openssl" else None


def _user_shown(word: str) -> str:
    """``user:…`` of ``user:password``."""
    user, mark, _ = word.replace("%", ":").partition(":")
    return f"{user}:{HIDDEN}" if mark else HIDDEN


def _value_hidden(word: str) -> str | None:
    found = _ASSIGNMENT.fullmatch(word)
    return f"{found[1]}={HIDDEN}" if found else None


def _matched(text: str) -> str:
    for pattern, shown in _PATTERNS:
        text = pattern.sub(shown, text)
    return text
