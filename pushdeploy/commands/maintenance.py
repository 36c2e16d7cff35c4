"""Commands of maintenance close an app to its visitors for a while, and open it again."""

from dataclasses import replace

from pushdeploy.commands.face.arguments import app_argument, form_option
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.front import network_option, page_from, source_argument
from pushdeploy.commands.face.printing import show_record
from pushdeploy.commands.face.request import Request
from pushdeploy.domain.app import App
from pushdeploy.domain.front.maintenance import Maintenance
from pushdeploy.domain.front.network import Network, in_order, shown_network


@command("maintenance:on", example="maintenance:on shop --allow 203.0.113.7 < page.html")
@app_argument
@source_argument
@network_option("--allow", "allowed", "An address or a network whose visitors see the app.")
def on(request: Request, app: App, source: str | None, allowed: tuple[Network, ...]) -> None:
    """Show visitors of an app a page, with 503: the one on standard input, else the one before.

    The app runs on, and can be pushed, promoted and rolled back. It stays closed until
    maintenance:off.
    """
    page, networks = page_from(request, source), in_order(allowed)
    former = app.front.maintenance or Maintenance()
    wanted = Maintenance(former.page if page is None else page, networks or former.allowed)
    request.flow.front.change(
        app.name, lambda now: replace(now, maintenance=wanted), request.output
    )
    request.output.line(f"{app.name} is in maintenance: visitors are shown {_page(wanted)}")
    for network in wanted.allowed:
        request.output.line(f"{shown_network(network)} sees the app")
    request.output.line(f"maintenance:off {app.name} opens it")


@command("maintenance:off", example="maintenance:off shop")
@app_argument
def off(request: Request, app: App) -> None:
    """Let visitors of an app in again; an app that is not in maintenance stays so."""
    request.flow.front.change(app.name, lambda now: replace(now, maintenance=None), request.output)
    again = " again" if app.front.maintenance else ""
    request.output.line(f"{app.name} is open{again}")


@command("maintenance:report", "maintenance", reads=True, example="maintenance:report shop")
@app_argument
@form_option
def report(request: Request, app: App, form: str) -> None:
    """Show whether an app is in maintenance, which page it shows and who sees the app."""
    maintenance = app.front.maintenance
    record = {
        "maintenance": maintenance is not None,
        "page": _page(maintenance) if maintenance else None,
        "allowed": [shown_network(each) for each in maintenance.allowed] if maintenance else [],
    }
    show_record(request, form, record)


COMMANDS = (on, off, report)


def _page(maintenance: Maintenance) -> str:
    return "the server's page" if maintenance.page is None else "the app's own page"
