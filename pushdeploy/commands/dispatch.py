"""The whole life of one ssh command: split, find, allow, parse, run, write down."""

import logging
from collections.abc import Sequence
from contextlib import suppress

import click

from pushdeploy.commands.face.access import check_access
from pushdeploy.commands.face.audit import audited_line
from pushdeploy.commands.face.catalogue import Catalogue
from pushdeploy.commands.face.command import Command
from pushdeploy.commands.face.line import Line, named_app, parse_line, split_words
from pushdeploy.commands.face.printing import output_of
from pushdeploy.commands.face.request import Request
from pushdeploy.commands.platform import Platform
from pushdeploy.commands.session import Session
from pushdeploy.domain.errors import PushdeployError, UserError
from pushdeploy.domain.names import AppName

_log = logging.getLogger(__name__)

_BUG_STATUS = 70  # EX_SOFTWARE of sysexits.h


class Commands:
    def __init__(self, platform: Platform) -> None:
        """``PushdeployError`` when a command file is not as it must be."""
        self._platform = platform
        self.catalogue = Catalogue()

    def run(self, line: str, session: Session) -> int:
        """Run what was typed: its exit status. Errors of ours are told to the client."""
        output = output_of(session)
        request = Request(self._platform, session, output, self.catalogue)
        try:
            return self._run(parse_line(line), request)
        except PushdeployError as error:
            output.failure(error)
            return error.exit_status

    def _run(self, line: Line, request: Request) -> int:
        command = self._found(line, request)
        check_access(request.store, request.session.by, command.needs, line.name)
        words = _words(command, line)
        context = _parsed(command, line.name, words, request)
        if context is None:
            return 0
        return self._invoke(command, context, audited_line(line.name, words, command.plain_values))

    def _found(self, line: Line, request: Request) -> Command:
        if self.catalogue.has(line.name):
            return self.catalogue.find(line.name)
        return self.catalogue.find(line.name, line.rest, _app_meant(line, request))

    def _invoke(self, command: Command, context: click.Context, audited: str) -> int:
        """The body itself, and the audit row of what it changed or tried to."""
        exit_status = _BUG_STATUS
        try:
            exit_status = _body(command, context)
        except PushdeployError as error:
            exit_status = error.exit_status
            raise
        finally:
            if not command.reads:
                self._write_down(context.obj, audited, exit_status)
        return exit_status

    def _write_down(self, request: Request, audited: str, exit_status: int) -> None:
        """What was done is done, also where the audit row cannot be written.

        A command that failed says why itself, and that is enough for one person to read.
        """
        try:
            request.store.audit.record(request.session.by, audited, exit_status)
        except PushdeployError as error:
            _log.warning("by=%s not in the audit log: %s", request.session.by, error.message)
            if exit_status == 0:
                request.output.trouble(f"not in the audit log: {error.message}")


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
        raise _usage_error(error, command, name) from error


def _body(command: Command, context: click.Context) -> int:
    with context:
        try:
            return command.invoke(context) or 0
        except click.UsageError as error:
            raise _usage_error(error, command, context.info_name or "") from error


def _usage_error(error: click.UsageError, command: Command, name: str) -> UserError:
    message = error.format_message().rstrip(".")
    example = command.example.splitlines()[0]
    return UserError(
        f"{name}: {message[:1].lower()}{message[1:]}", f"for example: {example}  ({name} --help)"
    )
