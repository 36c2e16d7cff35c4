"""Commands of domains change and show the host names on which an app answers, and its URLs."""

from collections.abc import Sequence

import click

from pushdeploy.commands.face.arguments import app_argument, form_option
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.printing import show_lines, show_rows
from pushdeploy.commands.face.request import Request
from pushdeploy.domain.app import App
from pushdeploy.domain.names import HostName
from pushdeploy.hostnames import parse_host, shown_host


def parse_hosts(text: str) -> Sequence[HostName]:
    """Return a host, or for ``.example.com`` both the domain and all names below it."""
    if not text.startswith("."):
        return [parse_host(text)]
    return [parse_host(text[1:]), parse_host(f"*{text}")]


def _each_once(
    context: click.Context, parameter: click.Parameter, given: Sequence[Sequence[HostName]]
) -> Sequence[HostName]:
    del context, parameter
    return [*dict.fromkeys(host for hosts in given for host in hosts)]


_hosts_argument = click.argument(
    "hosts",
    type=parse_hosts,
    nargs=-1,
    required=True,
    metavar="HOST...",
    callback=_each_once,
)


@command("domains:add", example="domains:add shop shop.example.com www.shop.example.com")
@app_argument
@_hosts_argument
def add(request: Request, app: App, hosts: Sequence[HostName]) -> None:
    """Let an app answer on more host names; all of them or none.

    .example.com is example.com and every name below it.
    """
    _change(request, app, hosts, [])


@command("domains:remove", removes=True, example="domains:remove shop www.shop.example.com")
@app_argument
@_hosts_argument
def remove(request: Request, app: App, hosts: Sequence[HostName]) -> None:
    """Let an app answer on these host names no longer; all of them or none."""
    _change(request, app, [], hosts)


@command("domains:set", removes=True, example="domains:set shop shop.example.com")
@app_argument
@_hosts_argument
def set_(request: Request, app: App, hosts: Sequence[HostName]) -> None:
    """Let an app answer on these host names and its default one, and on no others."""
    former = request.store.domains.of(app.name)
    _change(request, app, hosts, [host for host in former if host not in hosts])


@command("domains:clear", removes=True, example="domains:clear shop")
@app_argument
def clear(request: Request, app: App) -> None:
    """Let an app answer on its default host name only."""
    _change(request, app, [], request.store.domains.of(app.name))


@command("domains:list", "domains", reads=True, example="domains:list shop")
@app_argument
@form_option
def list_(request: Request, app: App, form: str) -> None:
    """Show the host names of an app, its default one first."""
    hosts = request.reads.addresses.hosts(app.name)
    rows = [{"host": str(host), "default": host == hosts[0]} for host in hosts]
    show_rows(request, form, rows, ("host",))


@command("url", reads=True, example="url shop")
@app_argument
@form_option
def url(request: Request, app: App, form: str) -> None:
    """Print the first URL of an app, and nothing else."""
    show_lines(request, form, [request.reads.addresses.url(app.name)])


@command("urls", reads=True, example="urls shop")
@app_argument
@form_option
def urls_(request: Request, app: App, form: str) -> None:
    """Print all URLs of an app, one a line."""
    show_lines(request, form, request.reads.addresses.urls(app.name))


COMMANDS: Sequence[click.Command] = (add, remove, set_, clear, list_, url, urls_)


def _change(
    request: Request, app: App, wanted: Sequence[HostName], gone: Sequence[HostName]
) -> None:
    new = request.flow.domains.change(app.name, wanted, gone)
    for host in gone:
        request.output.line(f"{app.name} answers on {shown_host(host)} no longer")
    for host in wanted:
        already = "" if host in new else " already"
        request.output.line(f"{app.name} answers on {shown_host(host)}{already}")
