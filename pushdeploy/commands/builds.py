"""builds: stop one that is going on."""

from pushdeploy.commands.face.arguments import app_argument
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.request import Request
from pushdeploy.domain.app import App
from pushdeploy.domain.errors import UserError


@command("builds:cancel", example="builds:cancel shop")
@app_argument
def cancel(request: Request, app: App) -> None:
    """Stop the deploy of an app that is going on, until its release command or switch begins."""
    holder = request.platform.locks.holder(app.name)
    done = request.platform.locks.cancel(app.name, f"builds:cancel by {request.session.by}")
    if done is None or holder is None:
        raise UserError(f"nothing is being deployed to {app.name}", f"releases {app.name}")
    if not done:
        raise UserError(
            f"too late: the {holder[0].what} goes on to its end, for its release command has begun"
            " or traffic is being switched",
            f"releases:output {app.name} shows how it goes on",
        )
    request.output.line(f"cancelled: {holder[0].what} by {holder[0].by}")


COMMANDS = (cancel,)
