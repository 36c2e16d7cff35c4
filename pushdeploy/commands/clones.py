"""The command apps:clone makes an app that begins as a copy of another."""

import click

from pushdeploy.commands.face.arguments import app_argument
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.request import Request
from pushdeploy.domain.app import App
from pushdeploy.domain.names import AppName


@command("apps:clone", example="apps:clone shop shop-review")
@app_argument
@click.argument("new", type=AppName.parse, metavar="NEW")
@click.option("--skip-deploy", is_flag=True, help="Release nothing yet.")
@click.option("--ignore-existing", is_flag=True, help="An app NEW that exists is left as it is.")
def clone(
    request: Request, app: App, new: AppName, skip_deploy: bool, ignore_existing: bool
) -> int:
    """Make an app like another: its settings, config, formation, and its live slug as a release.

    Its disks are new and empty: disks:clone copies data. Domains and the lock stay where they are.
    """
    if ignore_existing and request.store.apps.find(new) is not None:
        request.output.line(f"{new} exists already")
        return 0
    made = request.flow.clones.clone(app, new, request.asker, deploy=not skip_deploy)
    for attachment in request.store.disks.of(new):
        copies = f"disks:clone {app.name} {attachment.disk} {new} --force"
        request.output.line(f"disk {attachment.disk} of {new} is new: {copies} brings the data")
    if any(result.outcome != "succeeded" for result in made):
        request.output.trouble(f"{new} stays, with its failed release: releases:output {new}")
        return 1
    request.output.line(request.reads.addresses.url(new))
    return 0


COMMANDS = (clone,)
