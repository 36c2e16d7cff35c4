"""The program of the machine's owner: everything else is typed over ssh."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, TypeVar

import click

import pushdeploy
from pushdeploy.domain.errors import PushdeployError, UserError
from pushdeploy.domain.names import KeyName
from pushdeploy.domain.plain import plain_sink
from pushdeploy.instance import Home, create_instance, read_instance
from pushdeploy.output import Output, columns
from pushdeploy.settings import Settings, load_settings

if TYPE_CHECKING:
    from pushdeploy.store import Store

UNIT_PATH = Path("/etc/systemd/system/pushdeploy.service")

_Command = TypeVar("_Command", bound=Callable[..., Any])


class _Program(click.Group):
    """Shows our errors as a line and a hint, and ends with their exit status."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except PushdeployError as error:
            _output().failure(error)
            context.exit(error.exit_status)


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Turn this machine into a private Heroku: git push deploys.

    \b
    Begin with:
        pushdeploy init
        pushdeploy keys:add me < ~/.ssh/id_ed25519.pub
        pushdeploy serve
    """


def _load(context: click.Context, parameter: click.Parameter, home: Path | None) -> Settings:
    del context, parameter
    return load_settings(home=home.absolute()) if home else load_settings()


def _with_settings(command: _Command) -> _Command:
    """Give the command ``settings``, read for ``--home``."""
    return click.option(
        "--home",
        "settings",
        type=click.Path(path_type=Path),
        callback=_load,
        metavar="DIRECTORY",
        help="State directory; PUSHDEPLOY_HOME, else /var/lib/pushdeploy.",
    )(command)


_with_format = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="How to print."
)


# --------------------------------------------------------------------------- init


@main.command()
@_with_settings
@click.option("--systemd", is_flag=True, help="Also write a systemd unit.")
@click.option(
    "--unit-path",
    type=click.Path(path_type=Path, dir_okay=False),
    default=UNIT_PATH,
    show_default=True,
    help="Where --systemd writes.",
)
def init(settings: Settings, systemd: bool, unit_path: Path) -> None:
    """Make the home: its keys, its database, its settings file.

    What exists already is kept, so that it may be run again at any time.

    \b
    Example:
        pushdeploy init --systemd
    """
    output, home = _output(), Home(settings.home)
    with output.step(f"Making the home {home.root}"):
        output.detail(f"instance {create_instance(home.root)}")
        _make_private(home)
        _make_host_key(home, output)
        _make_settings_file(home, settings, output)
        _make_database(home, settings)
        output.detail(f"database {settings.database_url}")
    if systemd:
        _make_unit(home, unit_path, output)
    for line in _next_commands(home, systemd):
        output.line(line)


def _make_private(home: Home) -> None:
    for directory in home.directories:
        directory.chmod(0o700)


def _make_host_key(home: Home, output: Output) -> None:
    from pushdeploy.ssh.keys import create_host_key

    if home.host_key.exists():
        output.detail(f"host key kept: {home.host_key}")
        return
    create_host_key(home.host_key)
    output.detail(f"host key made: {home.host_key}")


def _make_settings_file(home: Home, settings: Settings, output: Output) -> None:
    if home.settings_file.exists():
        output.detail(f"settings kept: {home.settings_file}")
        return
    home.settings_file.touch(0o600)
    home.settings_file.write_text(settings_text(settings))
    output.detail(f"settings made: {home.settings_file}")


def settings_text(settings: Settings) -> str:
    """The first pushdeploy.toml: what was set is written, everything else a comment."""
    lines = [
        "# Settings of this pushdeploy. The environment (PUSHDEPLOY_<NAME>) wins over this file."
    ]
    for name, field in Settings.model_fields.items():
        if name == "home":
            continue
        value = getattr(settings, name)
        lines += ["", f"# {field.description or name.replace('_', ' ')}"]
        mark = "" if name in settings.model_fields_set and value != field.default else "# "
        lines.append(f"{mark}{name} = {_toml(value)}".rstrip())
    return "\n".join(lines) + "\n"


def _toml(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, int | float):
        return str(value).lower() if isinstance(value, bool) else str(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _make_database(home: Home, settings: Settings) -> None:
    from pushdeploy.store import Store

    store = Store.open(settings.database_url)
    with closing(store), _written_down(store, "init"):
        pass  # a home needs nothing more
    if home.database.exists():
        home.database.chmod(0o600)


def _make_unit(home: Home, path: Path, output: Output) -> None:
    from pushdeploy.templating import Templates

    text = Templates(home.root).render(
        "systemd/pushdeploy.service", python=_unit(sys.executable), home=_unit(home.root)
    )
    try:
        path.write_text(text)
    except OSError as error:
        raise UserError(
            f"{path} cannot be written: {error.strerror}", "run it as root, or give --unit-path"
        ) from error
    output.detail(f"systemd unit {path}")


def _unit(path: object) -> str:
    """As systemd.syntax(7) quotes inside double quotes, with systemd.unit(5)'s specifiers off."""
    return str(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")


def _next_commands(home: Home, systemd: bool) -> list[str]:
    option = (
        ""
        if home.root == Settings.model_fields["home"].default
        else f" --home {quote(str(home.root))}"
    )
    start = (
        ["systemctl daemon-reload", "systemctl enable --now pushdeploy"]
        if systemd
        else [f"pushdeploy serve{option}"]
    )
    commands = [
        f"pushdeploy doctor{option}",
        f"pushdeploy keys:add{option} me < ~/.ssh/id_ed25519.pub",
        *start,
    ]
    return ["=====> Next:", *(f"       {command}" for command in commands)]


# --------------------------------------------------------------------------- serve


@main.command()
@_with_settings
@click.pass_context
def serve(context: click.Context, settings: Settings) -> None:
    """Run the server in the foreground until SIGTERM.

    Apps and nginx go on serving while it is stopped.

    \b
    Example:
        PUSHDEPLOY_DOMAIN=apps.example.com pushdeploy serve
    """
    from pushdeploy.serve import serve as run

    context.exit(run(settings))


# --------------------------------------------------------------------------- doctor


@main.command()
@click.option(
    "--home", type=click.Path(path_type=Path), metavar="DIRECTORY", help="State directory."
)
@_with_format
@click.pass_context
def doctor(context: click.Context, home: Path | None, form: str) -> None:
    """Check every part of this machine; exit 1 where one needs mending.

    \b
    Example:
        pushdeploy doctor --format json
    """
    from pushdeploy.doctor import examine, lines, rows

    findings = examine(home.absolute() if home else None)
    _show(form, rows(findings), lines(findings))
    context.exit(0 if all(finding.ok for finding in findings) else 1)


# --------------------------------------------------------------------------- keys


@main.command("keys:add")
@click.argument("name")
@_with_settings
def keys_add(name: str, settings: Settings) -> None:
    """Let the public key on standard input deploy to this machine, as NAME.

    \b
    Example:
        pushdeploy keys:add anna < anna.pub
    """
    from pushdeploy.domain.access import PublicKey

    key = PublicKey.parse(KeyName.parse(name), sys.stdin.read())
    with _Opened(settings) as store, _written_down(store, f"keys:add {key.name}"):
        store.keys.add(key)
    _output().line(f"{key.name} may deploy with {key.fingerprint}")


@main.command("keys:list")
@_with_settings
@_with_format
def keys_list(settings: Settings, form: str) -> None:
    """Show who may deploy.

    \b
    Example:
        pushdeploy keys:list --format json
    """
    with _Opened(settings) as store:
        keys = store.keys.list()
    table = [{"name": str(key.name), "fingerprint": key.fingerprint} for key in keys]
    _show(form, table, columns([tuple(row.values()) for row in table]))


@main.command("keys:remove")
@click.argument("name")
@click.option("--force", is_flag=True, help="Needed nowhere: as over ssh.", hidden=True)
@_with_settings
def keys_remove(name: str, force: bool, settings: Settings) -> None:
    """Let NAME deploy no longer: what it has going on is cancelled within a second.

    \b
    Example:
        pushdeploy keys:remove anna
    """
    del force
    key = KeyName.parse(name)
    with _Opened(settings) as store, _written_down(store, f"keys:remove {key}"):
        store.keys.remove(key)
        left = store.keys.list()
    _output().line(f"{name} may no longer deploy")
    if not left:
        _output().trouble("that was the last key: pushdeploy keys:add NAME < KEY.pub lets one in")


@contextmanager
def _written_down(store: "Store", command: str) -> Iterator[None]:
    """In the audit log, by whoever uses the server's own shell."""
    from pushdeploy.trail import Trail, local_user

    with Trail(store.audit).act(local_user(), f"pushdeploy {command}") as act:
        yield
        act.exit_status = 0
    if act.trouble:
        _output().trouble(f"not in the audit log: {act.trouble}")


class _Opened:
    """The store of an existing home, closed at the end."""

    def __init__(self, settings: Settings) -> None:
        read_instance(settings.home)
        self._url = settings.database_url

    def __enter__(self) -> "Store":
        from pushdeploy.store import Store

        self._store = Store.open(self._url)
        return self._store

    def __exit__(self, *_: object) -> None:
        self._store.close()


# --------------------------------------------------------------------------- stacks


@main.command("stack:prepare")
@_with_settings
@click.argument("name", metavar="[NAME]", required=False)
@click.option("--stack", metavar="NAME", help="bookworm or trixie; the setting `stack` otherwise.")
@click.option(
    "--cache",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIRECTORY",
    help="Where a bootstrapped stack is kept; <home>/cache/stacks otherwise.",
)
def stack_prepare(
    settings: Settings, name: str | None, stack: str | None, cache: Path | None
) -> None:
    """Make the image that apps are built and run on, so that no push waits for it.

    \b
    Example:
        pushdeploy stack:prepare trixie
    """
    from pushdeploy.build.stacks import Stacks
    from pushdeploy.engine.docker import DockerEngine

    home, name = Home(settings.home), name or stack or settings.stack
    homeless = not home.instance_file.exists()
    instance = _NO_INSTANCE if homeless else read_instance(home.root)
    with DockerEngine(instance, settings.docker_host, lan_closed=settings.lan_closed) as engine:
        place = cache.absolute() if cache else home.cache / "stacks"
        stacks = Stacks(engine, settings.stack_source, place, settings.ca_bundle)
        try:
            stacks.prepare(name, _output())
        finally:
            if homeless:
                engine.remove_network()


_NO_INSTANCE = "00000000"
"""Labels what is made before there is a home."""


@main.command()
def version() -> None:
    """Show the version of this program.

    \b
    Example:
        pushdeploy version
    """
    click.echo(f"pushdeploy {pushdeploy.__version__}")


def _show(form: str, table: Sequence[Mapping[str, object]], lines: Sequence[str]) -> None:
    for line in [json.dumps(table, indent=2)] if form == "json" else lines:
        _output().line(line)


def _output() -> Output:
    return Output(
        plain_sink(click.echo), trouble_sink=plain_sink(lambda line: click.echo(line, err=True))
    )
