"""Commands of automatic certificates show how hosts stand, and have one tried for at once."""

from collections.abc import Mapping, Sequence

import click

from pushdeploy.commands.face.arguments import form_option
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.printing import show_rows
from pushdeploy.commands.face.request import Request
from pushdeploy.domain.names import AppName, HostName
from pushdeploy.domain.outlook import Outlook
from pushdeploy.hostnames import parse_host

_SHOWN = ("host", "state", "expires_at", "next_at", "why", "hint")


@command("certs:auto", reads=True, example="certs:auto shop")
@click.argument("app", required=False)
@form_option
def auto(request: Request, app: str | None, form: str) -> None:
    """Show how the hosts of APP, or of all apps, stand with their automatic certificates.

    Why one has none or is not renewed, until when its present one is good, when it is tried for
    again, and what to do.
    """
    name = request.store.apps.get(AppName(app)).name if app else None
    rows = [_row(each) for each in request.reads.outlooks.all(name)]
    show_rows(request, form, rows, _SHOWN, empty="domains:add gives an app a host name")


@command("certs:renew", "certs:auto:refresh", example="certs:renew shop.example.com")
@click.argument("app_or_host", metavar="APP|HOST")
def renew(request: Request, app_or_host: str) -> None:
    """Try now for the automatic certificates of an app or a host, and do not wait.

    What the certificate authority has asked for is kept to: it counts failures and certificates.
    certs:auto shows what came of it.
    """
    for name in request.flow.renewals.renew(_hosts(request, app_or_host)):
        request.output.line(f"a certificate for {name} is tried for now: certs:auto shows it")


COMMANDS: Sequence[click.Command] = (auto, renew)


def _hosts(request: Request, text: str) -> Sequence[HostName]:
    """All hosts of the app of that name; a host has a dot."""
    if "." in text:
        return [parse_host(text)]
    return request.reads.addresses.hosts(request.store.apps.get(AppName(text)).name)


def _row(outlook: Outlook) -> Mapping[str, object]:
    return {
        "host": str(outlook.host),
        "app": str(outlook.app),
        "state": outlook.state,
        "certificate_for": outlook.certificate_for and str(outlook.certificate_for),
        "expires_at": outlook.expires_at,
        "next_at": outlook.next_at,
        "tries": outlook.tries,
        "why": outlook.why,
        "hint": outlook.hint,
    }
