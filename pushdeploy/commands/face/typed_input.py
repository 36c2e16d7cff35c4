"""Commands read here what a person types or pipes in.

A terminal is echoed here as well, for no tty driver does it.
"""

from dataclasses import dataclass

from pushdeploy.commands.session import Session
from pushdeploy.domain.errors import Cancelled, UserError

_ENTER = b"\r\n"
_ERASE = b"\x7f\x08"
_CTRL_C = 3
_CTRL_D = 4
_SPACE = 32


def read_secret(session: Session, prompt: str, most_bytes: int) -> bytes:
    """Everything on standard input; one line where it is a terminal, which shows nothing of it."""
    if session.terminal is not None:
        return read_line(session, prompt, shown=False).encode()
    return read_bytes(session, prompt, most_bytes)


def read_line(session: Session, prompt: str, *, shown: bool = True) -> str:
    """Read one line from a terminal. ``Cancelled`` for Ctrl-C."""
    session.write(prompt.encode())
    typed = bytearray()
    while data := session.read():
        for byte in data:
            if byte == _CTRL_C:
                session.write(b"^C\n")
                raise Cancelled("cancelled: Ctrl-C", "nothing was changed")
            if byte in _ENTER or byte == _CTRL_D:
                session.write(b"\n")
                return typed.decode("utf-8", "replace")
            _type(session, typed, byte, shown=shown)
    session.cancellation.check()
    return typed.decode("utf-8", "replace")


def read_input(session: Session, prompt: str, most_bytes: int) -> str:
    """Everything on standard input; one line where it is a terminal."""
    return read_bytes(session, prompt, most_bytes).decode("utf-8", "replace")


def read_bytes(session: Session, prompt: str, most_bytes: int) -> bytes:
    """``read_input`` for texts that may be written in another way than UTF-8."""
    if session.terminal is not None:
        return read_line(session, prompt).encode()
    found = bytearray()
    while data := session.read():
        found += data
        if len(found) > most_bytes:
            raise UserError(f"the input is larger than {most_bytes} bytes", "give the right file")
    session.cancellation.check()
    return bytes(found)


def _type(session: Session, typed: bytearray, byte: int, *, shown: bool) -> None:
    echo = b""
    if byte in _ERASE and typed:
        typed.pop()
        echo = b"\b \b"
    elif byte >= _SPACE and byte not in _ERASE:
        typed.append(byte)
        echo = bytes([byte])
    if shown and echo:
        session.write(echo)


@dataclass(frozen=True, slots=True)
class Question:
    """``what`` cannot be undone, unless ``name`` is typed ``to`` do it.

    ``hint`` says how to do it in one go, for those without a terminal.
    """

    what: str
    name: str
    hint: str
    to: str = "go on"


def confirm(session: Session, question: Question, typed: str | None = None) -> None:
    """Go on only when the name is typed: given beforehand, or on the terminal."""
    if typed is None and session.terminal is not None:
        typed = read_line(
            session, f"This cannot be undone. Type {question.name} to {question.to}: "
        )
    if typed is None:
        raise UserError(f"{question.what} cannot be undone", question.hint)
    if typed.strip() != question.name:
        raise UserError(f"{typed[:40]!r} is not {question.name}: nothing was changed")
