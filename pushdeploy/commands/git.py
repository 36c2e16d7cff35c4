"""The command git:set sets about pushes what users of Dokku set under this name there."""

import click

from pushdeploy.commands.face.arguments import app_argument
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.request import Request
from pushdeploy.domain.app import App, deploy_branch_of
from pushdeploy.domain.errors import UserError

_BRANCH = "deploy-branch"


@command("git:set", plain_values=True, example="git:set shop deploy-branch release")
@app_argument
@click.argument("key", metavar="deploy-branch")
@click.argument("value", required=False, default="", metavar="[BRANCH]")
def set_(request: Request, app: App, key: str, value: str) -> None:
    """Choose the branch that deploys, as apps:set does; no BRANCH gives back the default."""
    if key != _BRANCH:
        raise UserError(
            f"there is no {key[:40]} of git here",
            f"git:set {app.name} {_BRANCH} BRANCH is the only one",
        )
    request.flow.settings.change(app, [f"{key}={value}"])
    branch = deploy_branch_of(request.store.apps.get(app.name), ())
    request.output.line(
        f"{branch} deploys {app.name} from the next push on: git push deploy {branch}"
    )


COMMANDS = (set_,)
