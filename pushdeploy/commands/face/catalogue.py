"""The catalogue finds all commands, file by file: one more file is one more noun."""

import difflib
import re
from collections.abc import Mapping, Sequence

import pushdeploy.commands
from pushdeploy.commands.face.command import Command
from pushdeploy.commands.face.foreign_commands import said_elsewhere
from pushdeploy.discover import discover
from pushdeploy.domain.errors import PushdeployError, UserError

_NOT_NOUNS = frozenset({"dispatch", "face", "session"})

_ALIKE = 0.7
_SURELY = 0.85
"""How much of two names must be the same, of 1."""

_APP = re.compile(r"\bAPP\b")


class Catalogue:
    """Commands by name and alias."""

    def __init__(self) -> None:
        files = discover(pushdeploy.commands, "COMMANDS", ignore=_NOT_NOUNS)
        self.nouns: Mapping[str, Sequence[Command]] = {
            noun: _commands(noun, found) for noun, found in files.items()
        }
        self._by_name = _by_name([command for found in self.nouns.values() for command in found])

    @property
    def commands(self) -> Sequence[Command]:
        """Each once, in the order of their files."""
        return [command for found in self.nouns.values() for command in found]

    def has(self, name: str) -> bool:
        return name in self._by_name

    def find(self, name: str, words: str = "", app: str = "APP") -> Command:
        """Raise ``UserError`` with what may have been meant, of ``app``, when ``words`` follow."""
        command = self._by_name.get(name)
        if command is None:
            meant = said_elsewhere(name, words) or self._alike(name)
            raise UserError(f"there is no command {name[:80]}", _APP.sub(app, meant))
        return command

    def of_noun(self, noun: str) -> Sequence[Command]:
        """The commands of a file, or those whose names or aliases begin with ``noun:``."""
        of_file = self.nouns.get(noun, ())
        return [
            command
            for command in self.commands
            if command in of_file or any(name.partition(":")[0] == noun for name in command.names)
        ]

    def _alike(self, name: str) -> str:
        """By spelling, which is only right where nothing else is known of the word."""
        close = difflib.get_close_matches(name, self._harmless(name), n=3, cutoff=_ALIKE)
        return f"did you mean {' or '.join(close)}?" if close else "help shows all commands"

    def _harmless(self, name: str) -> Sequence[str]:
        """What removes something is only meant by who has nearly typed it."""
        return [
            each
            for each, command in self._by_name.items()
            if not command.removes or difflib.SequenceMatcher(None, name, each).ratio() > _SURELY
        ]


def _commands(noun: str, found: object) -> Sequence[Command]:
    commands = list(found) if isinstance(found, list | tuple) else []
    if not commands or not all(isinstance(command, Command) for command in commands):
        raise PushdeployError(
            f"COMMANDS of pushdeploy/commands/{noun}.py does not hold commands only",
            "make each with @command of pushdeploy.commands.face.command",
        )
    return commands


def _by_name(commands: Sequence[Command]) -> Mapping[str, Command]:
    found: dict[str, Command] = {}
    for command in commands:
        for name in command.names:
            if name in found:
                raise PushdeployError(f"two commands are called {name}", "rename one")
            found[name] = command
    return found
