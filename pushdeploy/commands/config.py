"""Commands of config set and show the vars that every process of an app gets."""

import base64
import binascii
import shlex
from collections.abc import Mapping, Sequence

import click

from pushdeploy.commands.face.arguments import form_option
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.config_changes import change_config
from pushdeploy.commands.face.config_layers import Layer, LayerCommand, layer_argument
from pushdeploy.commands.face.printing import show_data, show_json, show_lines
from pushdeploy.commands.face.request import Request
from pushdeploy.commands.face.typed_input import read_input
from pushdeploy.domain.config import MOST_BYTES, check_key
from pushdeploy.domain.env_file import parse_env
from pushdeploy.domain.errors import UserError
from pushdeploy.output import columns

_QUOTING = (
    "your shell takes one pair of quotes off: ssh deploy \"config:set shop MOTTO='two words'\""
)
_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "$": "\\$", "`": "\\`", "\n": "\\n"})


_no_restart_option = click.option(
    "--no-restart", is_flag=True, help="Release nothing now: the next release has it."
)


_merged_option = click.option(
    "--merged", is_flag=True, help="Those of all apps too, where the app's own do not hide them."
)


def parse_assignment(text: str) -> tuple[str, str]:
    """Key and value of ``KEY=VALUE``. Messages never hold a value."""
    key, equals, value = text.partition("=")
    if not equals:
        raise UserError("a word without '=' is no KEY=VALUE", _QUOTING)
    check_key(key)
    return key, value


@command("config:set", kind=LayerCommand, example="config:set shop LOG_LEVEL=info WORKERS=3")
@layer_argument
@click.argument(
    "assignments", type=parse_assignment, nargs=-1, required=True, metavar="KEY=VALUE..."
)
@click.option("--encoded", is_flag=True, help="The values are base64: safe from every shell.")
@_no_restart_option
def set_(
    request: Request,
    app: Layer,
    assignments: tuple[tuple[str, str], ...],
    encoded: bool,
    no_restart: bool,
) -> None:
    """Set config vars: one release for all of them, the release command included.

    Where that release fails, the config stays as it was. With --global they are for all apps, and
    each app whose own vars do not hide them is released.
    """
    change_config(request, app, assigned(assignments, encoded), release=not no_restart)


@command("config:unset", kind=LayerCommand, removes=True, example="config:unset shop LOG_LEVEL")
@layer_argument
@click.argument("keys", nargs=-1, required=True, metavar="KEY...")
@_no_restart_option
def unset(request: Request, app: Layer, keys: tuple[str, ...], no_restart: bool) -> None:
    """Unset config vars: one release for all of them."""
    change_config(request, app, dict.fromkeys(keys), release=not no_restart)


@command("config:clear", kind=LayerCommand, removes=True, example="config:clear shop")
@layer_argument
@_no_restart_option
def clear(request: Request, app: Layer, no_restart: bool) -> None:
    """Unset all config vars: one release for all of them. releases:rollback brings them back."""
    changes = dict.fromkeys(app.own(request.store))
    change_config(request, app, changes, release=not no_restart)


@command("config:import", kind=LayerCommand, example="config:import shop < .env")
@layer_argument
@click.argument("source", required=False, metavar="[-]")
@click.option("--replace", is_flag=True, help="Unset all others.")
@_no_restart_option
def import_(
    request: Request, app: Layer, source: str | None, replace: bool, no_restart: bool
) -> None:
    """Set the config vars of a .env file on standard input: one release for all of them.

    Lines are KEY=VALUE, with export before them or not, as config:export prints them.
    """
    found = _read_env(request, app, source)
    former = app.own(request.store) if replace else {}
    changes = {**dict.fromkeys(former), **found}
    change_config(request, app, changes, release=not no_restart)


@command(
    "config:get", kind=LayerCommand, reads=True, secrets=True, example="config:get shop LOG_LEVEL"
)
@layer_argument
@click.argument("key", metavar="KEY")
@form_option
def get(request: Request, app: Layer, key: str, form: str) -> None:
    """Print the value of one config var, as it is: the app's own, else that of all apps.

    GIT_REV, where no config var has that name, is the commit that is live.
    """
    found = {**_computed(request, app), **app.whole(request.store)}
    if key not in found:
        raise UserError(f"{app.name} has no config var {key[:80]}", f"config:keys {app.name}")
    if form == "json":
        show_json(request, {"key": key, "value": found[key]})
        return
    show_data(request, found[key])


@command(
    "config:show", "config", kind=LayerCommand, reads=True, secrets=True, example="config:show shop"
)
@layer_argument
@_merged_option
@click.option("--export", "habit", flag_value="shell", help="As config:export, its old spelling.")
@click.option("-s", "--shell", "habit", flag_value="env", help="As config:export --format env.")
@form_option
def show(request: Request, app: Layer, merged: bool, habit: str | None, form: str) -> None:
    """Show all config vars and their values, and which of them wait for the next release.

    Those of all apps that the app does not hide stand behind its own.
    """
    config = _sorted(request, app, merged)
    if habit and form != "json":
        _export(request, config, habit)
        return
    if form == "json":
        show_json(request, config)
        return
    empty = f"no config var yet: config:set {app.name} KEY=VALUE"
    show_lines(request, form, [*_shown(config), *_below(request, app, config)], empty=empty)
    show_lines(request, form, _waiting(request, app))


@command("config:keys", kind=LayerCommand, reads=True, example="config:keys shop")
@layer_argument
@_merged_option
@form_option
def keys_(request: Request, app: Layer, merged: bool, form: str) -> None:
    """Show the names of all config vars."""
    empty = f"no config var yet: config:set {app.name} KEY=VALUE"
    show_lines(request, form, list(_sorted(request, app, merged)), empty=empty)


@command(
    "config:export",
    kind=LayerCommand,
    reads=True,
    secrets=True,
    example="config:export shop --format env > .env",
)
@layer_argument
@_merged_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["shell", "env", "json"]),
    default="shell",
    show_default=True,
    help="export lines for a shell, KEY=VALUE lines for a .env file, or JSON.",
)
def export(request: Request, app: Layer, merged: bool, form: str) -> None:
    """Print all config vars so that a program can read them."""
    _export(request, _sorted(request, app, merged), form)


COMMANDS = (set_, unset, clear, import_, get, show, keys_, export)


def assigned(assignments: Sequence[tuple[str, str]], encoded: bool) -> Mapping[str, str]:
    """``{key: value}``, the last of a key; ``UserError`` for a value that is no base64."""
    changes = dict(assignments)
    return {key: _decoded(key, value) if encoded else value for key, value in changes.items()}


def exported(config: Mapping[str, str], form: str) -> Sequence[str]:
    """Lines that a shell, or a reader of .env files, turns back into the very same values."""
    if form == "shell":
        return [f"export {key}={shlex.quote(value)}" for key, value in config.items()]
    return [f'{key}="{value.translate(_ESCAPES)}"' for key, value in config.items()]


def _export(request: Request, config: Mapping[str, str], form: str) -> None:
    if form == "json":
        show_json(request, config)
        return
    for line in exported(config, form):
        show_data(request, line)


def _read_env(request: Request, app: Layer, source: str | None) -> Mapping[str, str]:
    """What stands in the .env file on standard input. ``UserError`` where there is none."""
    session, hint = request.session, f"ssh deploy config:import {app.name} < .env"
    if source not in {None, "-"}:
        raise UserError(f"{source!r} is a file of yours, which this server cannot see", hint)
    if session.terminal is not None:
        raise UserError("a .env file is expected on standard input", f"{hint}, without -t")
    found = parse_env(read_input(session, "", 2 * MOST_BYTES))
    if not found:
        raise UserError("there is no KEY=VALUE on standard input", hint)
    for key in found:
        check_key(key)
    return found


def _computed(request: Request, layer: Layer) -> Mapping[str, str]:
    """What an app is told without a config var, under Dokku's name."""
    live = request.store.releases.current(layer.app.name) if layer.app else None
    return {"GIT_REV": str(live.slug.commit)} if live else {}


def _below(request: Request, layer: Layer, config: Mapping[str, str]) -> Sequence[str]:
    """The vars of all apps that ``config`` does not hide."""
    shared = {} if layer.app is None else request.store.config.shared()
    rest = {key: value for key, value in sorted(shared.items()) if key not in config}
    return [f"{line}  (of all apps)" for line in _shown(rest)]


def _waiting(request: Request, layer: Layer) -> Sequence[str]:
    """What the live release does not have so, in words."""
    staged = request.reads.apps.staged(layer.app.name) if layer.app else []
    wanted = layer.whole(request.store)
    verbs = {key: "set" if key in wanted else "unset" for key in staged}
    return [f"staged, not live yet: {key} ({verb})" for key, verb in verbs.items()]


def _sorted(request: Request, layer: Layer, merged: bool) -> Mapping[str, str]:
    found = layer.whole(request.store) if merged else layer.own(request.store)
    return dict(sorted(found.items()))


def _shown(config: Mapping[str, str]) -> Sequence[str]:
    return columns([(f"{key}:", _on_one_line(value)) for key, value in config.items()])


def _on_one_line(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n") if "\n" in value else value


def _decoded(key: str, text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise UserError(
            f"the value of {key} is not base64 of text", "base64 -w0 makes it"
        ) from error
