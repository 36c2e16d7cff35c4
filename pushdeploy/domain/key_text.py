"""Public keys come in any form that people have: lines of OpenSSH, blocks of SSH2 and of PEM."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pushdeploy.domain import key_pem
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.key_blob import (
    KINDS,
    NEW_KEY,
    WANTED,
    check,
    decode,
    is_whole,
    kind_within,
    refuse_kind,
)

_BLOCK = re.compile(
    r"^-{4,5} ?BEGIN (?P<what>[A-Z0-9 ]+?) ?-{4,5}[ \t]*$(?P<body>.*?)"
    r"(?:^-{4,5} ?END (?P=what) ?-{4,5}[ \t]*$|\Z)",
    re.MULTILINE | re.DOTALL,
)
_PRIVATE = re.compile(
    r"BEGIN [A-Z0-9 ]*PRIVATE KEY|PuTTY-User-Key-File|^b3BlbnNzaC1rZXktdjE", re.MULTILINE
)
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_OPTION = re.compile(r'([A-Za-z0-9-]+)(="(?:[^"\\]|\\.)*")?(?:,|(?=\s))')
_OTHERS = (
    (
        re.compile(
            r"(\d{3,5} )?(SHA256:[A-Za-z0-9+/]{43}=?|(MD5:)?([0-9a-f]{2}:){15}[0-9a-f]{2})( .*)?"
        ),
        "this is the fingerprint of a key, not the key itself",
        WANTED,
    ),
    (
        re.compile(r"https?://\S+", re.IGNORECASE),
        "this is an address, not a key",
        "fetch the text, look at it, and give that: curl -fsS LINE",
    ),
    (re.compile(r"<.*"), "this is a web page, not a key", WANTED),
    (
        re.compile(r"(~|\.{0,2})/\S+|\S+\.pub"),
        "this is the name of a file, not a public key",
        "give the text in it, as in: keys:add NAME < LINE",
    ),
    (
        re.compile(r"\d+ \d+ \d+( .*)?"),
        "keys of ssh's first protocol are too weak to be accepted",
        NEW_KEY,
    ),
)
"""Lines that people give instead, what they are, and what to do."""

_INVISIBLE = {ord(character): None for character in "\ufeff\u200b\u2060\0"}

_HARMLESS_OPTIONS = frozenset(
    {
        *("command", "environment", "permitlisten", "permitopen", "principals", "restrict"),
        *(
            f"{no}{what}"
            for no in ("", "no-")
            for what in ("agent-forwarding", "port-forwarding", "pty", "user-rc", "x11-forwarding")
        ),
        *("no-touch-required", "tunnel"),
    }
)
"""What sshd(8) reads before a key and this server has no use for: it gives nobody a shell."""

_NARROWING: Mapping[str, str] = {
    "from": "from anywhere",
    "expiry-time": "for ever",
    "verify-required": "without its owner",
    "cert-authority": "as a person, though it only signs certificates",
}
"""Options that would no longer hold: in what way the key would be let in."""


@dataclass(frozen=True, slots=True)
class KeyText:
    """A key that was found in a text; ``options`` stood before it and hold no longer."""

    kind: str
    blob: bytes = field(repr=False)
    options: Sequence[str] = ()


def decoded(data: bytes) -> str:
    """Decode a file from whatever machine: UTF-8, or the UTF-16 of Windows' shells."""
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return data.decode("utf-16", "replace")
    if data[1:2] == b"\0":
        return data.decode("utf-16-le", "replace")
    return data.decode("utf-8", "replace")


def keys_in(text: str) -> Sequence[KeyText]:
    """Return every key of the text, each once.

    ``UserError`` says what is wrong with the first bad one.
    """
    text = "\n".join(line.strip() for line in text.translate(_INVISIBLE).splitlines())
    _refuse_private(text)
    found = [_of_block(match["what"], match["body"]) for match in _BLOCK.finditer(text)]
    lines = list(_lines(_BLOCK.sub("", text)))
    for number, line in lines:
        found.append(_of_line(line, number if len(lines) > 1 else 0))
    if not found:
        raise UserError("there is no key in the input", WANTED)
    for key in found:
        check(key.kind, key.blob)
    return list({key.blob: key for key in found}.values())


def _refuse_private(text: str) -> None:
    if _PRIVATE.search(text):
        raise UserError(
            "this is a private key, which must never leave your machine",
            "nothing was stored; give the file that ends in .pub, and make a new key pair "
            "when others may have seen this one",
        )


# ---------------------------------------------------------------- blocks


def _of_block(what: str, body: str) -> KeyText:
    """A key between its BEGIN and END."""
    if what == "SSH2 PUBLIC KEY":
        blob = decode(_without_headers(body))
    elif what == "PUBLIC KEY":
        blob = key_pem.from_pkcs8(decode("".join(body.split())))
    elif what == "RSA PUBLIC KEY":
        blob = key_pem.from_pkcs1(decode("".join(body.split())))
    else:
        raise _other_block(what)
    kind = kind_within(blob)
    refuse_kind(kind)
    if kind not in KINDS:
        raise UserError("the key is damaged: its block does not hold a key for ssh", WANTED)
    return KeyText(kind, blob)


def _without_headers(body: str) -> str:
    """The base64 of an SSH2 block: headers are ``Tag: value`` and go on after a backslash."""
    kept, inside = [], False
    for line in body.splitlines():
        if not inside and ":" not in line:
            kept.append(line)
            continue
        inside = line.endswith("\\")
    return "".join(kept)


def _other_block(what: str) -> UserError:
    if "CERTIFICATE" in what:
        return UserError(
            "this is a certificate, not an ssh key",
            "take the key out of it: openssl x509 -in FILE -noout -pubkey",
        )
    if what.startswith("PGP"):
        return UserError(
            "this is a PGP key, not an ssh key", "gpg --export-ssh-key NAME may have one for ssh"
        )
    return UserError(f"a block called {what} is not a public key", WANTED)


# ---------------------------------------------------------------- lines


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """What is neither empty nor a comment, numbered; a key that was broken in two is made whole."""
    number, held, broken = 0, "", False
    for position, raw in enumerate(text.splitlines(), 1):
        line = _unquoted(raw)
        if not line or line.startswith("#"):
            continue
        if held and _goes_on(held, line):
            held, broken = held + line, True
        elif broken and not _begins(line):
            continue  # the rest of its comment
        else:
            if held:
                yield number, held
            number, held, broken = position, line, False
    if held:
        yield number, held


def _unquoted(line: str) -> str:
    if len(line) > 1 and line[0] == line[-1] and line[0] in "\"'`":
        return line[1:-1].strip()
    return line


def _goes_on(line: str, following: str) -> bool:
    """Tell whether a terminal or a mail program broke a key between these two."""
    last = line.rpartition(" ")[2]
    if _begins(following) or not last.startswith("AAAA"):
        return False
    if not _BASE64.fullmatch(following.partition(" ")[0]):
        return False
    try:
        return not is_whole(decode(last + "A" * (-len(last) % 4)))
    except UserError:
        return False


def _begins(line: str) -> bool:
    """Tell whether a key, or something before one, begins here."""
    return any(word in KINDS or word.startswith("AAAA") for word in line.split())


def _of_line(line: str, number: int) -> KeyText:
    try:
        return _key(line)
    except UserError as error:
        if not number:
            raise
        raise UserError(f"line {number}: {error.message}", error.hint) from error


def _key(line: str) -> KeyText:
    options, line = _without_options(line)
    words = line.split()
    kind = words[0] if words else ""
    refuse_kind(kind)
    if kind in KINDS:
        if len(words) < 2:
            raise UserError(f"after {kind} the key itself is missing", WANTED)
        return KeyText(kind, decode(words[1]), options)
    if kind.startswith("AAAA") and _BASE64.fullmatch(kind):
        return _without_kind(kind, options)
    raise _no_key(line)


def _without_kind(text: str, options: Sequence[str]) -> KeyText:
    """The base64 alone, which begins with its kind."""
    blob = decode(text)
    kind = kind_within(blob)
    refuse_kind(kind)
    if kind not in KINDS:
        raise UserError("the key is damaged: it does not name its kind", WANTED)
    return KeyText(kind, blob, options)


def _without_options(line: str) -> tuple[Sequence[str], str]:
    """The names of the options before a key, as sshd(8) has them, and the rest of the line."""
    names, position = [], 0
    while match := _OPTION.match(line, position):
        if match[1] in KINDS:
            break
        names.append(match[1].lower())
        position = match.end()
        if match[0][-1] != ",":
            break
    known = [name in _HARMLESS_OPTIONS or name in _NARROWING for name in names]
    if not any(known):
        return (), line
    if not all(known):
        unknown = names[known.index(False)]
        raise UserError(f"{unknown} before the key is no option of OpenSSH", WANTED)
    for name in names:
        if name in _NARROWING:
            raise UserError(
                f"{name} before the key cannot be kept: the key would be let in {_NARROWING[name]}",
                "give the line from the key type on, if that is what you want",
            )
    return tuple(names), line[position:].strip()


def _no_key(line: str) -> UserError:
    """What stands there instead of a key."""
    for pattern, message, hint in _OTHERS:
        if pattern.fullmatch(line):
            return UserError(message, hint.replace("LINE", line))
    words = line.split()
    if any(word in KINDS for word in words[1:]):
        return UserError(
            f"{words[0]} before the key is not understood: a line of known_hosts belongs to a"
            " machine, not to a person",
            "give the line from the key type on",
        )
    return UserError("this is not a public key", WANTED)
