"""The program of the machine's owner: everything else is typed over ssh."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any, TypeVar

import click

import pushdeploy
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.names import KeyName
from pushdeploy.domain.plain import plain_sink
from pushdeploy.instance import Home, read_instance
from pushdeploy.output import Output, columns
from pushdeploy.program import own_name, typed
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
            error.hint = typed(error.hint)
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


def _unit_path_option(about: str) -> Callable[[_Command], _Command]:
    path = click.Path(path_type=Path, dir_okay=False)
    return click.option("--unit-path", type=path, default=UNIT_PATH, show_default=True, help=about)


# --------------------------------------------------------------------------- init


@main.command()
@_with_settings
@click.option("--systemd", is_flag=True, help="Also write a systemd unit.")
@_unit_path_option("Where --systemd writes.")
def init(settings: Settings, systemd: bool, unit_path: Path) -> None:
    """Make the home: its keys, its database, its settings file.

    What exists already is kept, so that it may be run again at any time.

    \b
    Example:
        pushdeploy init --systemd
    """
    from pushdeploy.founding import make_home, make_unit

    output, home = _output(), Home(settings.home)
    with output.step(f"Making the home {home.root}"):
        make_home(settings, output)
    if systemd:
        make_unit(home, unit_path, output)
    for line in _next_commands(home, systemd):
        output.line(line)


def _next_commands(home: Home, systemd: bool) -> list[str]:
    option = (
        ""
        if home.root == Settings.model_fields["home"].default
        else f" --home {quote(str(home.root))}"
    )
    start = (
        ["systemctl daemon-reload", "systemctl enable --now pushdeploy"]
        if systemd
        else [f"{own_name()} serve{option}"]
    )
    commands = [
        f"{own_name()} doctor{option}",
        f"{own_name()} keys:add{option} me < ~/.ssh/id_ed25519.pub",
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


# --------------------------------------------------------------------------- uninstall


@main.command()
@_with_settings
@click.option("--purge", is_flag=True, help="Also the home: all data of its apps, for good.")
@_unit_path_option("Where init --systemd wrote.")
def uninstall(settings: Settings, purge: bool, unit_path: Path) -> None:
    """Stop the server and remove what it made: its service, nginx, containers, images, networks,
    firewall rules and mounts. The home stays unless its path is typed, or --purge is given.

    \b
    Example:
        pushdeploy uninstall --purge
    """
    from pushdeploy.removal import remove_server

    output, root = _output(), settings.home
    if not root.exists():
        output.line(f"=====> There is no home in {root}: nothing to remove")
        return
    purge = purge or (sys.stdin.isatty() and _asked_for(root))
    remove_server(settings, unit_path, purge, output)
    output.line(
        f"=====> All of {root} is gone"
        if purge
        else f"=====> The home stays, with all data: {root}; uninstall --purge removes it too"
    )


def _asked_for(root: Path) -> bool:
    question = f"Type {root} to remove it too, with all data of its apps; Enter keeps it"
    typed_path = click.prompt(question, default="", show_default=False)
    return bool(typed_path.strip() == str(root))


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
    from pushdeploy.doctor.examination import examine
    from pushdeploy.doctor.report import lines, rows

    findings = examine(home.absolute() if home else None)
    _show(form, rows(findings), lines(findings))
    context.exit(0 if all(finding.ok for finding in findings) else 1)


# --------------------------------------------------------------------------- keys


@main.command("keys:add")
@click.argument("name")
@_with_settings
def keys_add(name: str, settings: Settings) -> None:
    """Let the public key on standard input deploy to this machine, as NAME.

    Lines of OpenSSH, SSH2 blocks and PEM are read. The second key of a text becomes NAME-2.

    \b
    Example:
        pushdeploy keys:add anna < anna.pub
    """
    from pushdeploy.domain.key_text import decoded
    from pushdeploy.domain.public_key import PublicKey

    keys = PublicKey.several(KeyName.parse(name), decoded(sys.stdin.buffer.read()))
    with _Opened(settings) as store, _written_down(store, f"keys:add {name}"):
        store.keys.add(*keys)
    for key in keys:
        for line in key.admission:
            _output().line(line)


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
        left, others = store.keys.list(), store.keys.beside(key)
    _output().line(f"{name} may no longer deploy")
    if others:
        _output().line(f"       still there: {', '.join(others)}")
    if not left:
        add = typed("pushdeploy keys:add NAME < KEY.pub")
        _output().trouble(f"that was the last key: {add} lets one in")


@contextmanager
def _written_down(store: "Store", command: str) -> Iterator[None]:
    """In the audit log, by whoever uses the server's own shell."""
    from pushdeploy.access.audit_log import AuditLog, local_user

    with AuditLog(store.audit).act(local_user(), f"pushdeploy {command}") as act:
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
    from pushdeploy.build.stacks import stacks_of
    from pushdeploy.engine.docker import DockerEngine

    home, name = Home(settings.home), name or stack or settings.stack
    homeless = not home.instance_file.exists()
    instance = _NO_INSTANCE if homeless else read_instance(home.root)
    with DockerEngine(instance, settings.docker_host, lan_closed=settings.lan_closed) as engine:
        stacks = stacks_of(engine, settings, cache.absolute() if cache else None)
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
