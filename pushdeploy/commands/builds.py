"""The command of builds stops one that is going on."""

from pushdeploy.commands.face.arguments import app_argument
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.request import Request
from pushdeploy.domain.app import App


@command("builds:cancel", example="builds:cancel shop")
@app_argument
def cancel(request: Request, app: App) -> None:
    """Stop the deploy of an app that is going on, until its release command or switch begins."""
    stopped = request.flow.locking.cancel(app.name, request.session.by)
    request.output.line(f"cancelled: {stopped.what} by {stopped.by}")


COMMANDS = (cancel,)
