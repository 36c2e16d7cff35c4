"""apps: a second app that begins as a copy of another."""

from dataclasses import replace

import click

from pushdeploy.commands.face.arguments import app_argument
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.new_apps import made_app
from pushdeploy.commands.face.request import Request
from pushdeploy.domain.app import App
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import AppName
from pushdeploy.domain.promotion import TargetResult
from pushdeploy.flow.promote import Promotion


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
    live = request.store.releases.current(app.name)
    with made_app(request.context, new):
        _copy(request, app, new)
        request.output.line(f"{new} is there, with the settings and config of {app.name}")
        made: list[TargetResult] = []
        if live is not None and not skip_deploy:
            wanted = Promotion(app.name, [new], live.version, force=True)
            made = [*request.flow.promoter.promote(wanted, request.asker)]
        if made and request.store.releases.latest(new) is None:
            raise UserError(f"{new} was not made: {made[0].error}", f"apps:info {app.name}")
    for attachment in request.store.disks.of(new):
        copies = f"disks:clone {app.name} {attachment.disk} {new} --force"
        request.output.line(f"disk {attachment.disk} of {new} is new: {copies} brings the data")
    if any(result.outcome != "succeeded" for result in made):
        request.output.trouble(f"{new} stays, with its failed release: releases:output {new}")
        return 1
    request.output.line(request.back_ends.sites.url(new))
    return 0


COMMANDS = (clone,)


def _copy(request: Request, app: App, new: AppName) -> None:
    store = request.store
    store.apps.set_settings(
        new, replace(app.settings, disks=replace(app.settings.disks, disk_limits_bytes={}))
    )
    store.apps.set_formation(new, app.formation)
    store.config.replace(new, store.config.get(app.name))
    store.disks.replace(new, store.disks.of(app.name))
