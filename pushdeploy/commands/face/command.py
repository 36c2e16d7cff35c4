"""A command is a Click command that prints to the session and says what it needs."""

from collections.abc import Callable, Sequence
from typing import Any

import click

from pushdeploy.commands.face.audited_lines import audited_line
from pushdeploy.commands.face.command_line import named_app, split_words
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.need import Need

_CONFIRMED = "pushdeploy.confirmed"

Body = Callable[..., int | None]
"""Takes a ``Request`` and the parsed arguments; returns the exit status, None for 0."""


class Command(click.Command):
    """``example`` is what a person types after ``ssh deploy``.

    What the gate asks for is what the command ``needs``; unless it says so that is a right to
    change apps, and for one that only ``reads`` and shows no ``secrets`` one to read them. The
    former are audited, the latter are not. The audit row shows the values of ``K=V`` words only
    where ``plain_values`` says that they are no secrets. One that ``removes`` takes ``--force`` and
    ``--confirm APP`` from scripts, also where it asks nothing.
    """

    def __init__(
        self,
        name: str,
        *,
        aliases: Sequence[str] = (),
        example: str,
        needs: Need | None = None,
        reads: bool = False,
        secrets: bool = False,
        plain_values: bool = False,
        removes: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(name, add_help_option=False, **settings)
        self.context_settings.update(terminal_width=80, max_content_width=80)
        if removes:
            self.params += [each for each in _told_to_go_on() if not self.has_option(each.opts[0])]
        self.params.append(_help_option())
        self.aliases = tuple(aliases)
        self.example = example
        self.audited = secrets or not reads
        self.needs: Need = needs or ("change" if self.audited else "read")
        self.plain_values = plain_values
        self.removes = removes

    @property
    def names(self) -> Sequence[str]:
        return [self.name or "", *self.aliases]

    @property
    def takes_app(self) -> bool:
        """Tell whether ``--app NAME`` before the command becomes its first argument."""
        arguments = [param for param in self.params if isinstance(param, click.Argument)]
        return bool(arguments) and arguments[0].name == "app"

    def words_of(self, rest: str, app: str | None) -> list[str]:
        """The words of what was typed behind the command; ``app`` stood before it.

        An app that a flag names becomes the first word, whether it is that already or not.
        """
        words = [word for word, _ in split_words(rest)]
        if self.has_option("--app"):
            return ["--app", app, *words] if app else words
        if not self.takes_app:
            return words
        app, words = named_app(app, words)
        if app is None:
            return words
        first = next((word for word in words if not word.startswith("-")), None)
        if first == app:
            words.remove(app)
        return [app, *words]

    def audited_line(self, name: str, words: Sequence[str]) -> str:
        """Return the line that the audit log keeps of the command, called by this ``name``."""
        return audited_line(name, words, plain_values=self.plain_values)

    def invoke(self, ctx: click.Context) -> Any:
        """Raise ``UserError`` where ``--confirm`` names another app than the one that is meant."""
        app, typed = ctx.params.get("app"), ctx.meta.get(_CONFIRMED)
        name = getattr(app, "name", app)
        if typed is not None and name is not None and typed != name:
            raise UserError(f"{typed[:40]!r} is not {name}: nothing was changed")
        return super().invoke(ctx)

    def has_option(self, flag: str) -> bool:
        return any(flag in param.opts for param in self.params)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The example, and the other names."""
        del ctx
        with formatter.section("Example"):
            for line in self.example.splitlines():
                formatter.write(f"{'':{formatter.current_indent}}ssh deploy {line}\n")
        if self.aliases:
            formatter.write_paragraph()
            formatter.write_text(f"Also: {', '.join(self.aliases)}")


def command(
    name: str,
    *aliases: str,
    example: str,
    needs: Need | None = None,
    reads: bool = False,
    secrets: bool = False,
    plain_values: bool = False,
    removes: bool = False,
    kind: type[Command] = Command,
    **settings: Any,
) -> Callable[[Body], Command]:
    """Make a function a command; its docstring is its help."""

    def wrap(body: Body) -> Command:
        return click.command(
            name,
            cls=kind,
            aliases=aliases,
            example=example,
            needs=needs,
            reads=reads,
            secrets=secrets,
            plain_values=plain_values,
            removes=removes,
            **settings,
        )(click.pass_obj(body))

    return wrap


def _told_to_go_on() -> Sequence[click.Option]:
    return [
        click.Option(
            ["--force"], is_flag=True, expose_value=False, hidden=True, help="Nothing is asked."
        ),
        click.Option(
            ["--confirm"],
            expose_value=False,
            hidden=True,
            callback=_keep_confirmed,
            help="The app's name once more.",
        ),
    ]


def _keep_confirmed(context: click.Context, parameter: click.Parameter, typed: str | None) -> None:
    """Compared when the app is known."""
    del parameter
    context.meta[_CONFIRMED] = typed


def _help_option() -> click.Option:
    return click.Option(
        ["-h", "--help"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_show_help,
        help="Show this help.",
    )


def _show_help(context: click.Context, parameter: click.Parameter, asked: bool) -> None:
    """Click's own prints to the server's stdout."""
    del parameter
    if asked:
        context.obj.output.line(context.get_help())
        context.exit()
