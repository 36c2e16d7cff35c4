"""Commands of access let visitors of an app in, or keep them out, by their addresses."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import click

from pushdeploy.commands.face.arguments import app_argument, form_option
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.front import networks_argument
from pushdeploy.commands.face.printing import show_rows
from pushdeploy.commands.face.request import Request
from pushdeploy.domain.app import App
from pushdeploy.domain.front.access import Access, Verdict, with_verdicts
from pushdeploy.domain.front.network import Network, shown_network


@command("access:allow", example="access:allow shop 203.0.113.0/24 fd00::/8")
@app_argument
@networks_argument
def allow(request: Request, app: App, networks: tuple[Network, ...]) -> None:
    """Let visitors from these addresses and networks in, and nobody else who is not allowed too.

    The narrowest network that a visitor is in decides.
    """
    _change(request, app, dict.fromkeys(networks, "allow"))


@command("access:deny", example="access:deny shop 198.51.100.7")
@app_argument
@networks_argument
def deny(request: Request, app: App, networks: tuple[Network, ...]) -> None:
    """Keep visitors from these addresses and networks out. The narrowest network decides."""
    _change(request, app, dict.fromkeys(networks, "deny"))


@command("access:remove", removes=True, example="access:remove shop 198.51.100.7")
@app_argument
@networks_argument
def remove(request: Request, app: App, networks: tuple[Network, ...]) -> None:
    """Let no rule be for these addresses and networks any more."""
    _change(request, app, dict.fromkeys(networks))


@command("access:report", reads=True, example="access:report shop")
@app_argument
@form_option
def report(request: Request, app: App, form: str) -> None:
    """Show which visitors of an app are let in, and which are not."""
    show_rows(request, form, access_rows(app.front.access), ("network", "verdict"))


COMMANDS: Sequence[click.Command] = (allow, deny, remove, report)


def access_rows(access: Access) -> Sequence[Mapping[str, object]]:
    """Return a row for each network, and one for everybody else."""
    rows = [
        {"network": shown_network(network), "verdict": verdict}
        for network, verdict in access.verdicts.items()
    ]
    return [*rows, {"network": "all others", "verdict": access.of_others}]


def _change(request: Request, app: App, networks: Mapping[Network, Verdict | None]) -> None:
    rules = request.flow.front.change(
        app.name,
        lambda now: replace(now, access=with_verdicts(now.access, networks)),
        request.output,
    )
    for row in access_rows(rules.access):
        request.output.line(f"{row['verdict']}  {row['network']}")
