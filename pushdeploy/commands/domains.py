"""domains and url: the host names on which an app answers."""

from collections.abc import Sequence
from contextlib import ExitStack

import click

from pushdeploy.commands.face.arguments import app_argument, form_option
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.hosts import new_hosts, urls
from pushdeploy.commands.face.printing import show_lines, show_rows
from pushdeploy.commands.face.request import Request
from pushdeploy.domain.app import App
from pushdeploy.domain.names import HostName
from pushdeploy.domain.route import default_host
from pushdeploy.hostnames import parse_host, shown_host

_hosts_argument = click.argument(
    "hosts", type=parse_host, nargs=-1, required=True, metavar="HOST..."
)


@command("domains:add", example="domains:add shop shop.example.com www.shop.example.com")
@app_argument
@_hosts_argument
def add(request: Request, app: App, hosts: tuple[HostName, ...]) -> None:
    """Let an app answer on more host names; all of them or none."""
    new = new_hosts(request.platform, app.name, hosts)
    with ExitStack() as undo:
        for host in new:
            request.store.domains.add(app.name, host)
            undo.callback(request.store.domains.remove, app.name, host)
        request.platform.reconciler.refresh_route(app.name, request.output)
        undo.pop_all()
    for host in dict.fromkeys(hosts):
        already = "" if host in new else " already"
        request.output.line(f"{app.name} answers on {shown_host(host)}{already}")


@command("domains:remove", removes=True, example="domains:remove shop www.shop.example.com")
@app_argument
@_hosts_argument
def remove(request: Request, app: App, hosts: tuple[HostName, ...]) -> None:
    """Let an app answer on these host names no longer; all of them or none."""
    with ExitStack() as undo:
        for host in dict.fromkeys(hosts):
            request.store.domains.remove(app.name, host)
            undo.callback(request.store.domains.add, app.name, host)
        request.platform.reconciler.refresh_route(app.name, request.output)
        undo.pop_all()


@command("domains:list", "domains", reads=True, example="domains:list shop")
@app_argument
@form_option
def list_(request: Request, app: App, form: str) -> None:
    """Show the host names of an app, its default one first."""
    own = default_host(app.name, request.platform.settings.domain)
    hosts = [own, *request.store.domains.of(app.name)]
    rows = [{"host": str(host), "default": host == own} for host in hosts]
    show_rows(request, form, rows, ("host",))


@command("url", reads=True, example="url shop")
@app_argument
@form_option
def url(request: Request, app: App, form: str) -> None:
    """Print the first URL of an app, and nothing else."""
    show_lines(request, form, urls(request.platform, app.name)[:1])


@command("urls", reads=True, example="urls shop")
@app_argument
@form_option
def urls_(request: Request, app: App, form: str) -> None:
    """Print all URLs of an app, one a line."""
    show_lines(request, form, urls(request.platform, app.name))


COMMANDS: Sequence[click.Command] = (add, remove, list_, url, urls_)
