"""The command releases:rehearse tries a release on copies of the disks of an app."""

import click

from pushdeploy.commands.face.arguments import app_argument, find_app, form_option
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.printing import asker_beside, show_json
from pushdeploy.commands.face.rehearsal_reports import rehearsal_json, tell_rehearsal
from pushdeploy.commands.face.request import Request
from pushdeploy.domain.app import App


@command("releases:rehearse", example="releases:rehearse shop --slug-of shop-staging")
@app_argument
@click.option("--slug-of", metavar="OTHER", help="The live slug of this app, not of APP itself.")
@click.option("--network", is_flag=True, help="Give it a way out of this machine.")
@form_option
def rehearse(request: Request, app: App, slug_of: str | None, network: bool, form: str) -> int:
    """Try a release on a copy of the app's disks, and show what it does to the data.

    The release command of the slug runs with the app's config, then its web process starts on that
    copy. Nothing that is live is touched, and nothing is left. The exit code is 0 when both went
    well.
    """
    source = find_app(request.store, slug_of).name if slug_of else app.name
    asker = asker_beside(request, form)
    result = request.flow.rehearsals.of_app(app.name, source, asker, network=network)
    if form == "json":
        show_json(request, rehearsal_json(result))
    else:
        tell_rehearsal(request.output, result)
    return 0 if result.went_well else 1


COMMANDS = (rehearse,)
