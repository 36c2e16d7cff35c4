"""Dispatch leads an ssh command through its life: split, find, allow, parse, run, write down."""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress

import click

from pushdeploy.access.audit_log import AuditLog
from pushdeploy.commands.face.audited_lines import refused_line
from pushdeploy.commands.face.catalogue import Catalogue
from pushdeploy.commands.face.command import Command
from pushdeploy.commands.face.command_line import Line, named_app, parse_line, split_words
from pushdeploy.commands.face.config_layers import Layer
from pushdeploy.commands.face.printing import output_of
from pushdeploy.commands.face.request import Request
from pushdeploy.commands.session import Session
from pushdeploy.context import Context
from pushdeploy.domain.app import App
from pushdeploy.domain.errors import PushdeployError, UserError
from pushdeploy.domain.names import AppName
from pushdeploy.no_room import no_room_at, no_room_behind
from pushdeploy.reserve import Reserve

MAKES_ROOM = frozenset(
    {
        "apps:destroy",
        "config:unset",
        "disks:destroy",
        "disks:detach",
        "disks:forget",
        "ps:stop",
        "releases:gc",
        "releases:rollback",
        "rehearsals:cancel",
    }
)
"""Commands that lead out of a home without room."""

_APPS = frozenset({"app", "apps", "more", "other", "slug_of", "subject"})
"""How parameters are called that name apps."""


class Commands:
    """A command line is parsed, checked by the gate, run, and noted in the audit log."""

    def __init__(self, context: Context) -> None:
        """Raise ``PushdeployError`` when a command file is not as it must be."""
        self._context = context
        self._gate = context.gate
        self._audit_log = AuditLog(context.store.audit)
        self.catalogue = Catalogue()

    def run(self, line: str, session: Session) -> int:
        """Run what was typed: its exit status. Errors of ours are told to the client."""
        output = output_of(session)
        request = Request(self._context, session, output, self.catalogue)
        try:
            ready = self._ready(line, request)
            return self._invoke(*ready) if ready else 0
        except PushdeployError as error:
            told = no_room_behind(error, self._context.settings.home) or error
            told.serving = error.serving
            output.failure(told)
            return told.exit_status
        except OSError as error:
            told_why = no_room_behind(error, self._context.settings.home)
            if told_why is None:
                raise
            output.failure(told_why)
            return told_why.exit_status

    def _found(self, line: Line, request: Request) -> Command:
        if self.catalogue.has(line.name):
            return self.catalogue.find(line.name)
        self._refuse_app_as_command(line, request)
        return self.catalogue.find(line.name, line.rest, _app_meant(line, request))

    def _refuse_app_as_command(self, line: Line, request: Request) -> None:
        """ssh keeps ``-a shop`` for itself where it stands before the command, but for ``shop``."""
        app = line.name
        if not AppName.fits(app) or not request.store.apps.find(AppName(app)):
            return
        name, _, rest = line.rest.partition(" ")
        meant = f"{name} {app} {rest}" if self.catalogue.has(name) else f"apps:info {app}"
        raise UserError(f"{app} is an app, and the command comes first", meant.rstrip())

    def _ready(self, typed: str, request: Request) -> tuple[Command, click.Context, str] | None:
        """The command, its parsed arguments and its audited line; None when help was all of it.

        What is refused before it has begun is audited too.
        """
        try:
            line = parse_line(typed)
            command = self._found(line, request)
            by, act = request.session.by, f"use {line.name}"
            self._gate.check(by, "anyone", act)
            words = _words(command, line)
            context = _parsed(command, line.name, words, request)
            for app in _apps_in(context) if context else ():
                self._gate.check(by, command.needs, act, app)
        except PushdeployError as error:
            self._note_refused(typed, request, error.exit_status)
            raise
        if context is None:
            return None
        return command, context, command.audited_line(line.name, words)

    def _note_refused(self, typed: str, request: Request, exit_status: int) -> None:
        known, app = False, None
        with suppress(PushdeployError):
            line = parse_line(typed)
            known, app = self.catalogue.has(line.name), _app_meant(line, request)
            typed = f"{line.name} {line.rest}"
        shown = refused_line(typed, known=known)
        self._audit_log.past(request.session.by, shown, exit_status, None if app == "APP" else app)

    def _invoke(self, command: Command, context: click.Context, audited: str) -> int:
        """The body itself, within its audit row where it changes something or shows secrets."""
        home = self._context.settings.home
        if context.info_name in MAKES_ROOM and no_room_at(home):
            Reserve(home).give_up()
        if not command.audited:
            return _body(command, context)
        request: Request = context.obj
        with self._audit_log.act(request.session.by, audited, _app_in(context)) as act:
            act.exit_status = _body(command, context)
        if act.trouble and act.exit_status == 0:  # a failure says enough for one person to read
            request.output.trouble(f"not in the audit log: {act.trouble}")
        return act.exit_status


def _app_meant(line: Line, request: Request) -> str:
    """The app that a line is about, as far as it can be told without knowing its command."""
    with suppress(PushdeployError):
        app, words = named_app(line.app, [word for word, _ in split_words(line.rest)])
        for name in (app, *words[:1]):
            if name and AppName.fits(name) and request.store.apps.find(AppName(name)):
                return name
    return "APP"


def _words(command: Command, line: Line) -> list[str]:
    """The words after the command, with what Dokku's clients write before it put in its place."""
    words = command.words_of(line.rest, line.app)
    if line.force and command.has_option("--force"):
        words.insert(0, "--force")
    return words


def _parsed(
    command: Command, name: str, words: Sequence[str], request: Request
) -> click.Context | None:
    """None when the help was asked for, and has been shown."""
    try:
        return command.make_context(name, list(words), obj=request)
    except click.exceptions.Exit:
        return None
    except click.UsageError as error:
        app = words[0] if command.takes_app and words and AppName.fits(words[0]) else "shop"
        raise _usage_error(error, command, name, app) from error


def _app_in(context: click.Context) -> str | None:
    """The app that a command is about: an ``App``, its name, or none."""
    app = context.params.get("app")
    name = getattr(app, "name", app)
    return str(name) if name is not None else None


def _apps_in(context: click.Context) -> Sequence[AppName | None]:
    """Every app that was named to a command, for the gate; None where no one was."""
    return [*_named_apps(list(context.params.items()))] or [None]


def _named_apps(params: Sequence[tuple[str, object]]) -> Iterator[AppName]:
    """Parameters that are still text are told by their names."""
    for name, value in params:
        if isinstance(value, list | tuple):
            yield from _named_apps([(name, each) for each in value])
        elif isinstance(value, App):
            yield value.name
        elif isinstance(value, Layer):
            yield from _named_apps([(name, value.app)])
        elif isinstance(value, AppName) or (
            isinstance(value, str) and name in _APPS and AppName.fits(value)
        ):
            yield AppName(value)


def _body(command: Command, context: click.Context) -> int:
    with context:
        try:
            return command.invoke(context) or 0
        except click.UsageError as error:
            app = _app_in(context) or "shop"
            raise _usage_error(error, command, context.info_name or "", app) from error


def _usage_error(error: click.UsageError, command: Command, name: str, app: str) -> UserError:
    """With the command's example, for the app that was named."""
    message = error.format_message().rstrip(".")
    if isinstance(error, click.NoSuchOption) and error.option_name == "--json":
        return UserError(f"{name}: no such option --json", "write  --format json")
    example = re.sub(r"\bshop\b", app, command.example.splitlines()[0])
    return UserError(
        f"{name}: {message[:1].lower()}{message[1:]}", f"for example: {example}  ({name} --help)"
    )
