"""The command front:show has all that visitors of an app meet before the app does."""

from dataclasses import asdict

from pushdeploy.commands.access import access_rows
from pushdeploy.commands.face.arguments import app_argument, form_option
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.printing import show_record
from pushdeploy.commands.face.request import Request
from pushdeploy.domain.app import App
from pushdeploy.domain.front.network import shown_network
from pushdeploy.domain.front.rate_limits import shown_limits
from pushdeploy.domain.settings import shown_settings
from pushdeploy.domain.settings.front import FrontSettings
from pushdeploy.domain.settings.setting import described
from pushdeploy.hostnames import shown_host


@command("front:show", "front", reads=True, example="front:show shop")
@app_argument
@form_option
def show(request: Request, app: App, form: str) -> None:
    """Show the whole front of an app: hosts, state, who is let in, redirects, limits, pages and
    settings. Passwords are not shown.
    """
    rules, hosts = app.front, request.reads.addresses.hosts(app.name)
    names = {setting.name for setting, _ in described(FrontSettings())}
    as_json = form == "json"
    record = {
        "app": str(app.name),
        "hosts": [str(host) if as_json else shown_host(host) for host in hosts],
        "state": "maintenance" if rules.maintenance else "stopped" if app.stopped else "open",
        "sees_it_in_maintenance": [
            shown_network(each) for each in (rules.maintenance.allowed if rules.maintenance else ())
        ],
        "access": {str(row["network"]): row["verdict"] for row in access_rows(rules.access)},
        "passwords": {
            path: [str(user) for user in people] for path, people in rules.passwords.paths.items()
        },
        "redirects": [
            asdict(each) if as_json else f"{each.source} → {each.target} ({each.code})"
            for each in rules.redirects
        ],
        "limits": shown_limits(rules.limits),
        "error_pages": list(rules.pages),
        "settings": {
            name: value for name, value in shown_settings(app.settings).items() if name in names
        },
    }
    show_record(request, form, record)


COMMANDS = (show,)
