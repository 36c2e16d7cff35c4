"""A command of the face: a Click command that prints to the session and says what it needs."""

from collections.abc import Callable, Sequence
from typing import Any

import click

from pushdeploy.commands.face.access import Need
from pushdeploy.commands.face.line import split_words

Body = Callable[..., int | None]
"""Takes a ``Request`` and the parsed arguments; returns the exit status, None for 0."""


class Command(click.Command):
    """``example`` is what a person types after ``ssh deploy``.

    A command is for admins and is audited unless it says otherwise. The audit row shows the
    values of ``K=V`` words only where ``plain_values`` says that they are no secrets.
    """

    def __init__(
        self,
        name: str,
        *,
        aliases: Sequence[str] = (),
        example: str,
        needs: Need = "admin",
        reads: bool = False,
        plain_values: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(name, add_help_option=False, **settings)
        self.context_settings.update(terminal_width=80, max_content_width=80)
        self.params.append(_help_option())
        self.aliases = tuple(aliases)
        self.example = example
        self.needs: Need = needs
        self.reads = reads
        self.plain_values = plain_values

    @property
    def names(self) -> Sequence[str]:
        return [self.name or "", *self.aliases]

    @property
    def takes_app(self) -> bool:
        """Whether ``--app NAME`` before the command becomes its first argument."""
        arguments = [param for param in self.params if isinstance(param, click.Argument)]
        return bool(arguments) and arguments[0].name == "app"

    def words_of(self, rest: str, app: str | None) -> list[str]:
        """The words of what was typed behind the command; ``app`` stood before it."""
        words = [word for word, _ in split_words(rest)]
        if app is None:
            return words
        if self.takes_app:
            return [app, *words]
        return ["--app", app, *words] if self.has_option("--app") else words

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
    needs: Need = "admin",
    reads: bool = False,
    plain_values: bool = False,
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
            plain_values=plain_values,
            **settings,
        )(click.pass_obj(body))

    return wrap


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
