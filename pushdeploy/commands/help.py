"""help and version: what can be typed, and to what."""

from collections.abc import Sequence

import click

import pushdeploy
from pushdeploy.commands.face.arguments import form_option
from pushdeploy.commands.face.command import Command, command
from pushdeploy.commands.face.printing import show_record
from pushdeploy.commands.face.request import Request
from pushdeploy.output import columns

_SHORT = """\
git push deploy main         build, release, switch: the first push makes the app
ssh deploy apps:list         the apps of this server
ssh deploy logs APP -t       follow what an app prints
ssh deploy releases APP      what was released, when, by whom, and what became of it
ssh deploy run APP COMMAND   a one-off process with the app's config and disks
ssh deploy help              all commands; help config:set explains one"""


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
        return _listed(request.catalogue.commands)
    name = topic.removesuffix(":help")
    found = request.catalogue.of_noun(name)
    if ":" not in name and len(found) > 1:
        return _listed(found)
    return _explained(request.catalogue.find(name), name)


def _listed(commands: Sequence[Command]) -> Sequence[str]:
    return columns([(_usage(command), command.get_short_help_str(100)) for command in commands])


def _usage(command: Command) -> str:
    arguments = [
        param.make_metavar(click.Context(command))
        for param in command.params
        if isinstance(param, click.Argument)
    ]
    return " ".join([command.name or "", *arguments])


def _explained(command: Command, name: str) -> Sequence[str]:
    return command.get_help(click.Context(command, info_name=name)).splitlines()
