"""The commands help and version say what can be typed, and to which server."""

import textwrap
from collections.abc import Sequence

import click

import pushdeploy
from pushdeploy.commands.face.arguments import form_option
from pushdeploy.commands.face.command import Command, command
from pushdeploy.commands.face.printing import show_record
from pushdeploy.commands.face.request import Request

_SHORT = """\
git push deploy main         build, release, switch: the first push makes the app
ssh deploy apps:list         the apps of this server
ssh deploy logs APP -t       follow what an app prints
ssh deploy releases APP      what was released, when, by whom, and what became of it
ssh deploy run APP COMMAND   a one-off process with the app's config and disks
ssh deploy help              all commands; help config:set explains one"""


_COLUMNS = 80
_USAGE_COLUMNS = 34


@command("help", needs="anyone", reads=True, example="help apps")
@click.option("--short", is_flag=True, help="Only the first things to know.")
@click.argument("topic", required=False)
def help_(request: Request, short: bool, topic: str | None) -> None:
    """Show all commands, those of a noun such as apps, or how one is used."""
    for line in _SHORT.splitlines() if short else _help(request, topic):
        request.output.line(line)


@command("version", needs="anyone", reads=True, example="version")
@form_option
def version(request: Request, form: str) -> None:
    """Show the version of this server."""
    if form == "json":
        show_record(request, form, {"version": pushdeploy.__version__})
        return
    request.output.line(f"pushdeploy {pushdeploy.__version__}")


COMMANDS = (help_, version)


def _help(request: Request, topic: str | None) -> Sequence[str]:
    if topic is None:
        return _grouped(request.catalogue.commands)
    name = topic.removesuffix(":help")
    found = request.catalogue.of_noun(name)
    if ":" not in name and len(found) > 1:
        return _listed(found)
    return _explained(request.catalogue.find(name), name)


def _grouped(commands: Sequence[Command]) -> Sequence[str]:
    """By noun, each under its name; those that stand alone come last."""
    groups: dict[str, list[Command]] = {}
    for each in commands:
        groups.setdefault((each.name or "").partition(":")[0], []).append(each)
    several = {noun: group for noun, group in groups.items() if len(group) > 1}
    alone = [each for noun, group in groups.items() if noun not in several for each in group]
    lines: list[str] = []
    for noun, group in [*several.items(), ("more", alone)]:
        lines += [noun, *_listed(group, indent="  "), ""]
    return [*lines, "help NOUN:VERB explains one, with an example"]


def _listed(commands: Sequence[Command], indent: str = "") -> Sequence[str]:
    """A usage that is too long for its column has a line of its own; no word is broken."""
    lines: list[str] = []
    for each in commands:
        usage = f"{indent}{_usage(each)}"
        said = textwrap.wrap(each.get_short_help_str(200), _COLUMNS - _USAGE_COLUMNS)
        if len(usage) > _USAGE_COLUMNS - 2:
            lines += textwrap.wrap(usage, _COLUMNS, subsequent_indent=f"{indent}    ")
            usage = ""
        first, *rest = said or [""]
        lines.append(f"{usage:<{_USAGE_COLUMNS}}{first}".rstrip())
        lines += [" " * _USAGE_COLUMNS + text for text in rest]
    return lines


def _usage(command: Command) -> str:
    arguments = [
        param.make_metavar(click.Context(command))
        for param in command.params
        if isinstance(param, click.Argument)
    ]
    return " ".join([command.name or "", *arguments])


def _explained(command: Command, name: str) -> Sequence[str]:
    return command.get_help(click.Context(command, info_name=name)).splitlines()
