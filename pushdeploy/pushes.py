"""A git push deploys an app: here the calls of git become those of the flow."""

from collections.abc import Sequence
from difflib import get_close_matches

from pushdeploy.context import Context
from pushdeploy.domain.app import deploy_branch_of
from pushdeploy.domain.asker import Asker
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.names import AppName, KeyName
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.push import Push
from pushdeploy.domain.source import Source
from pushdeploy.lifecycle import Lifecycle
from pushdeploy.receive.push import AfterReceive

_ALIKE = 0.75
"""How much like another name one must be to be taken for a mistake, of 1."""


class Pushes:
    """``Pushes`` implement the port ``PushReceiver`` over the store and the flow."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._deployer = context.flow.deployer
        self._new_apps = context.flow.new_apps

    def open(self, app: AppName) -> Sequence[str]:
        if not self._new_apps.for_push(app):
            return ()
        return [f"-----> Made app {app}", *self._perhaps_meant(app)]

    def missing(self, app: AppName) -> PushdeployError:
        return self._new_apps.missing(app)

    def abandon(self, app: AppName) -> None:
        self._new_apps.abandon(app)

    def deploy_branch(self, app: AppName, offered: Sequence[str]) -> str:
        """Return the app's setting, else main; master where a first push offers only that."""
        return deploy_branch_of(self._store.apps.find(app), offered)

    def deploy(self, push: Push, source: Source, asker: Asker) -> None:
        self._deployer.deploy(push, source, asker)

    def _perhaps_meant(self, app: AppName) -> Sequence[str]:
        """A name that is much like another one may be a mistake."""
        others = [other.name for other in self._store.apps.list() if other.name != app]
        close = get_close_matches(app, others, n=1, cutoff=_ALIKE)
        return [
            f"       if {other} was meant:  git remote set-url deploy deploy:{other}"
            for other in close
        ]


def post_receive(lifecycle: Lifecycle) -> AfterReceive:
    """Return the hook after a ref has moved; its failure is told and changes nothing."""

    def run(app: AppName, ref: str, old: str, new: str, by: KeyName, output: Output) -> None:
        facts = {"APP": str(app), "REF": ref, "OLD": old, "NEW": new, "BY": str(by)}
        try:
            lifecycle.run("post-receive", facts, output)
        except PushdeployError as error:
            output.trouble(error.message)

    return run
