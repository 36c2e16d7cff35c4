"""config: the vars that every process of an app gets. Each change is one release."""

import base64
import binascii
import shlex
from collections.abc import Mapping, Sequence

import click

from pushdeploy.commands.face.arguments import app_argument, form_option
from pushdeploy.commands.face.asking import read_input
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.printing import show_data, show_json, show_lines
from pushdeploy.commands.face.request import Request
from pushdeploy.domain.app import App
from pushdeploy.domain.config import MOST_BYTES, check_key, differing_keys
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


def parse_assignment(text: str) -> tuple[str, str]:
    """Key and value of ``KEY=VALUE``. Messages never hold a value."""
    key, equals, value = text.partition("=")
    if not equals:
        raise UserError("a word without '=' is no KEY=VALUE", _QUOTING)
    check_key(key)
    return key, value


@command("config:set", example="config:set shop LOG_LEVEL=info WORKERS=3")
@app_argument
@click.argument(
    "assignments", type=parse_assignment, nargs=-1, required=True, metavar="KEY=VALUE..."
)
@click.option("--encoded", is_flag=True, help="The values are base64: safe from every shell.")
@_no_restart_option
def set_(
    request: Request,
    app: App,
    assignments: tuple[tuple[str, str], ...],
    encoded: bool,
    no_restart: bool,
) -> None:
    """Set config vars: one release for all of them, the release command included.

    Where that release fails, the config stays as it was.
    """
    _change(request, app, assigned(assignments, encoded), release=not no_restart)


@command("config:unset", removes=True, example="config:unset shop LOG_LEVEL")
@app_argument
@click.argument("keys", nargs=-1, required=True, metavar="KEY...")
@_no_restart_option
def unset(request: Request, app: App, keys: tuple[str, ...], no_restart: bool) -> None:
    """Unset config vars: one release for all of them."""
    _change(request, app, dict.fromkeys(keys), release=not no_restart)


@command("config:clear", removes=True, example="config:clear shop")
@app_argument
@_no_restart_option
def clear(request: Request, app: App, no_restart: bool) -> None:
    """Unset all config vars: one release for all of them. releases:rollback brings them back."""
    changes = dict.fromkeys(request.store.config.get(app.name))
    _change(request, app, changes, release=not no_restart)


@command("config:import", example="config:import shop < .env")
@app_argument
@click.argument("source", required=False, metavar="[-]")
@click.option("--replace", is_flag=True, help="Unset all others.")
@_no_restart_option
def import_(
    request: Request, app: App, source: str | None, replace: bool, no_restart: bool
) -> None:
    """Set the config vars of a .env file on standard input: one release for all of them.

    Lines are KEY=VALUE, with export before them or not, as config:export prints them.
    """
    found = _read_env(request, app, source)
    former = request.store.config.get(app.name) if replace else {}
    _change(request, app, {**dict.fromkeys(former), **found}, release=not no_restart)


@command("config:get", reads=True, secrets=True, example="config:get shop LOG_LEVEL")
@app_argument
@click.argument("key", metavar="KEY")
@form_option
def get(request: Request, app: App, key: str, form: str) -> None:
    """Print the value of one config var, as it is."""
    value = request.store.config.get(app.name).get(key)
    if value is None:
        raise UserError(f"{app.name} has no config var {key[:80]}", f"config:keys {app.name}")
    if form == "json":
        show_json(request, {"key": key, "value": value})
        return
    show_data(request, value)


@command("config:show", "config", reads=True, secrets=True, example="config:show shop")
@app_argument
@form_option
def show(request: Request, app: App, form: str) -> None:
    """Show all config vars and their values, and which of them wait for the next release."""
    config = _sorted(request, app)
    if form == "json":
        show_json(request, config)
        return
    rows = [(f"{key}:", _on_one_line(value)) for key, value in config.items()]
    show_lines(request, form, [*columns(rows), *_waiting(request, app, config)])


@command("config:keys", reads=True, example="config:keys shop")
@app_argument
@form_option
def keys_(request: Request, app: App, form: str) -> None:
    """Show the names of all config vars."""
    show_lines(request, form, list(_sorted(request, app)))


@command(
    "config:export", reads=True, secrets=True, example="config:export shop --format env > .env"
)
@app_argument
@click.option(
    "--format",
    "form",
    type=click.Choice(["shell", "env", "json"]),
    default="shell",
    show_default=True,
    help="export lines for a shell, KEY=VALUE lines for a .env file, or JSON.",
)
def export(request: Request, app: App, form: str) -> None:
    """Print all config vars so that a program can read them."""
    config = _sorted(request, app)
    if form == "json":
        show_json(request, config)
        return
    for line in exported(config, form):
        show_data(request, line)


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


def _read_env(request: Request, app: App, source: str | None) -> Mapping[str, str]:
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


def _change(
    request: Request, app: App, changes: Mapping[str, str | None], *, release: bool
) -> None:
    before = request.store.config.get(app.name)
    deployer, asker = request.platform.deployer, request.asker
    if deployer.reconfigure(app.name, changes, asker, release=release) is not None:
        return
    wanted, live = request.store.config.get(app.name), request.store.releases.current(app.name)
    if wanted == before:
        request.output.line(f"nothing to change: the config of {app.name} is so already")
    elif live is None:
        request.output.line(f"kept for the first release of {app.name}")
    elif staged := differing_keys(live.config, wanted):
        request.output.line(f"staged for the next release of {app.name}: {', '.join(staged)}")
        request.output.line(f"{live.label} goes on without; ps:rebuild {app.name} releases it now")
    else:
        request.output.line(f"the config of {app.name} is that of {live.label} again")


def _waiting(request: Request, app: App, config: Mapping[str, str]) -> Sequence[str]:
    """What the live release does not have so, in words."""
    live = request.store.releases.current(app.name)
    staged = differing_keys(live.config, config) if live else []
    verbs = {key: "set" if key in config else "unset" for key in staged}
    return [f"staged, not live yet: {key} ({verb})" for key, verb in verbs.items()]


def _sorted(request: Request, app: App) -> Mapping[str, str]:
    return dict(sorted(request.store.config.get(app.name).items()))


def _on_one_line(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n") if "\n" in value else value


def _decoded(key: str, text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise UserError(
            f"the value of {key} is not base64 of text", "base64 -w0 makes it"
        ) from error
