"""run: a command in a one-off container, with the live release's slug, config and disks."""

import secrets
import shlex
from collections.abc import Callable, Sequence

import click

from pushdeploy.commands.config import assigned, parse_assignment
from pushdeploy.commands.face.arguments import app_argument
from pushdeploy.commands.face.command import Command, command
from pushdeploy.commands.face.request import Request
from pushdeploy.commands.session import Session
from pushdeploy.domain.app import App
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.ports import Streams, WindowSize
from pushdeploy.domain.release import Release


class _Run(Command):
    """Options stand before the command; from its first word on everything belongs to it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and not args[0].startswith("-"):
            options, rest = split_options(args[1:])
            args = [*options, args[0], *rest]
        return super().parse_args(ctx, args)


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
@app_argument
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="COMMAND...")
def run(
    request: Request,
    app: App,
    assignments: tuple[tuple[str, str], ...],
    no_tty: bool,
    words: tuple[str, ...],
) -> int:
    """Run a command beside the app, and end with its exit code.

    The name of a process type alone runs its command. Use ssh -t for a terminal. One word is given
    to a shell as it is: ssh deploy "run shop 'echo $DYNO | rev'".
    """
    live = request.store.releases.current(app.name)
    if live is None:
        raise UserError(f"{app.name} has no live release", "git push deploy main")
    return request.platform.scheduler.run_once(
        request.platform.manifests.of(app, live),
        shell_command(words, live),
        f"run.{1000 + secrets.randbelow(9000)}",
        _streams(request.session, no_tty),
        None,
        request.session.cancellation,
        assigned(assignments, encoded=False),
    )


COMMANDS = (run,)


def split_options(words: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Our options at the front, and the rest, which begins with the command."""
    count = 0
    while count < len(words) and words[count].startswith("-") and words[count] != "--":
        count += 2 if words[count] in {"-e", "--env"} else 1
    return words[:count], words[count:]


def shell_command(words: Sequence[str], release: Release) -> str:
    """What the shell gets: a type's command, one word as it is, several quoted one by one."""
    words = words[1:] if words[0] == "--" else words
    if not words:
        raise UserError("there is no command to run", f"run {release.app} COMMAND")
    if len(words) > 1:
        return shlex.join(words)
    for kind, typed in release.slug.process_types.items():
        if kind == words[0] and typed:
            return typed
    return words[0]


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
