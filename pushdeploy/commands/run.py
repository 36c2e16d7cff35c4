"""The command run starts a one-off command beside the app, and ends with its exit code."""

from collections.abc import Callable, Sequence

import click

from pushdeploy.commands.config import assigned, parse_assignment
from pushdeploy.commands.face.arguments import app_argument
from pushdeploy.commands.face.audited_lines import audited_line
from pushdeploy.commands.face.command import Command, command
from pushdeploy.commands.face.command_line import APP_FLAGS, named_app, split_words
from pushdeploy.commands.face.request import Request
from pushdeploy.commands.session import Session
from pushdeploy.domain.app import App
from pushdeploy.domain.ports.streams import Streams, WindowSize

_WITH_VALUE = frozenset({"-e", "--env", *APP_FLAGS})


class _Run(Command):
    """What follows the app is the command, as it was typed; our own options stand before it."""

    def words_of(self, rest: str, app: str | None) -> list[str]:
        """The options, the app, and the command as one word."""
        options, rest = own_options(rest)
        app, options = named_app(app, options)
        if app is None:
            app, rest = next(split_words(rest), ("", ""))
            more, rest = own_options(rest)
            options += more
        return [word for word in (*options, app, rest.strip()) if word]

    def audited_line(self, name: str, words: Sequence[str]) -> str:
        *own, typed = words
        return audited_line(name, own, raw=typed)


@command(
    "run",
    kind=_Run,
    context_settings={"allow_interspersed_args": False},
    example="run shop python manage.py createsuperuser",
)
@click.option(
    "-e",
    "--env",
    "assignments",
    type=parse_assignment,
    multiple=True,
    metavar="KEY=VALUE",
    help="One more var.",
)
@click.option("--no-tty", is_flag=True, help="No terminal for it, although you have one.")
@click.option("--rm", is_flag=True, expose_value=False, help="As always: the container is removed.")
@app_argument
@click.argument("typed", metavar="COMMAND...")
def run(
    request: Request,
    app: App,
    assignments: tuple[tuple[str, str], ...],
    no_tty: bool,
    typed: str,
) -> int:
    """Run a command beside the app, and end with its exit code.

    A shell in the container gets the command just as it is typed: ssh deploy run shop
    'echo "$DYNO" | rev'. The name of a process type runs its command, with what follows as more
    arguments. Use ssh -t for a terminal.
    """
    environment = assigned(assignments, encoded=False)
    with request.flow.one_offs.beside(app, request.asker) as command:
        return command.run(typed, _streams(request.session, no_tty), environment)


COMMANDS = (run,)


def own_options(text: str) -> tuple[list[str], str]:
    """Split our options at the front of ``text`` from the text that follows, as it was typed."""
    options: list[str] = []
    rest = text
    words = split_words(text)
    for word, after in words:
        if word == "--":
            return options, after
        if not word.startswith("-"):
            break
        options.append(word)
        rest = after
        if word in _WITH_VALUE:
            value, rest = next(words, ("", ""))
            options.append(value)
    return options, rest


def _streams(session: Session, no_tty: bool) -> Streams:
    if session.terminal is None:
        return session
    if no_tty:
        return _NoTerminal(session)
    session.raw_mode()
    return session


class _NoTerminal:
    """The same client, taken for one without a terminal."""

    terminal: str | None = None

    def __init__(self, session: Session) -> None:
        self.read = session.read
        self.write = session.write
        self.write_error = session.write_error

    def on_resize(self, resized: Callable[[WindowSize], None]) -> None:
        """There is nothing to resize."""
