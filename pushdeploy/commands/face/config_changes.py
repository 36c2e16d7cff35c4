"""Config vars change, and people are told what of it is live, staged, or kept for later."""

from collections.abc import Mapping

from pushdeploy.commands.face.all_apps import for_each
from pushdeploy.commands.face.config_layers import GLOBAL, Layer
from pushdeploy.commands.face.request import Request
from pushdeploy.domain.app import App


def change_config(
    request: Request, layer: Layer, changes: Mapping[str, str | None], *, release: bool
) -> None:
    """Set, or with None unset. ``UserError`` where a value cannot be, or a release failed."""
    if layer.app is None:
        _change_shared(request, changes, release=release)
    else:
        _change_own(request, layer.app, changes, release=release)


def _change_own(
    request: Request, app: App, changes: Mapping[str, str | None], *, release: bool
) -> None:
    before = request.store.config.get(app.name)
    config_changes = request.flow.config_changes
    if config_changes.configure(app.name, changes, request.asker, release=release) is not None:
        return
    wanted, live = request.store.config.get(app.name), request.store.releases.current(app.name)
    if wanted == before:
        request.output.line(f"nothing to change: the config of {app.name} is so already")
    elif live is None:
        request.output.line(f"kept for the first release of {app.name}")
    elif staged := request.reads.apps.staged(app.name):
        request.output.line(f"staged for the next release of {app.name}: {', '.join(staged)}")
        request.output.line(f"{live.label} goes on without; ps:rebuild {app.name} releases it now")
    else:
        request.output.line(f"the config of {app.name} is that of {live.label} again")


def _change_shared(request: Request, changes: Mapping[str, str | None], *, release: bool) -> None:
    """One release of each app that sees a change; one that fails keeps what it had."""
    change = request.flow.shared_config.change(changes)
    if not change.changed:
        request.output.line("nothing to change: the config of all apps is so already")
    if not release and change.seen_by:
        names, keys = ", ".join(change.seen_by), ", ".join(change.changed)
        request.output.line(f"staged for the next release of {names}: {keys}")
        return
    if change.changed and not change.seen_by:
        request.output.line(f"kept for all apps: config:show {GLOBAL}")
    follow = request.flow.config_changes.follow
    for_each(request, change.seen_by, lambda app: follow(app, [*changes], request.asker))
