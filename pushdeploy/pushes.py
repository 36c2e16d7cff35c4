"""A git push deploys an app: here its branch is known, the app is made, and the deploy begins."""

from collections.abc import Sequence
from dataclasses import replace
from difflib import get_close_matches

from pushdeploy.context import Context
from pushdeploy.domain.app import DEPLOY_BRANCH, deploy_branch_of
from pushdeploy.domain.asker import Asker
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import PushdeployError, RenamedApp, UnknownApp
from pushdeploy.domain.names import AppName, CommitId, KeyName
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.source import Source
from pushdeploy.lifecycle import Lifecycle
from pushdeploy.output import Quiet
from pushdeploy.receive.push import AfterReceive
from pushdeploy.receive.updates import HEADS

_ALIKE = 0.75
"""How much like another name one must be to be taken for a mistake, of 1."""


class Pushes:
    """``Pushes`` implement the port ``PushReceiver`` over the store and the flow."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._deployer = context.flow.deployer
        self._converger = context.flow.converger
        self._sites = context.back_ends.sites

    def open(self, app: AppName, by: KeyName) -> Sequence[str]:
        """Let the first push create the app; until it is live its address tells so."""
        del by
        if self._store.apps.find(app) is not None:
            return ()
        if self._store.apps.renamed(app) is not None:
            raise self.missing(app)
        self._sites.refuse_taken_name(app)
        self._store.apps.create(app)
        try:
            self._converger.refresh_route(app, Quiet())
        except PushdeployError:
            self._store.apps.destroy(app)
            raise
        return [f"-----> Made app {app}", *self._perhaps_meant(app)]

    def missing(self, app: AppName) -> UnknownApp:
        """Return an error with the present name of an app that had this one."""
        now = self._store.apps.renamed(app)
        return (
            UnknownApp(app)
            if now is None
            else RenamedApp(app, now, f"git remote set-url deploy deploy:{now}")
        )

    def abandon(self, app: AppName) -> None:
        """Remove an app that a refused first push made, unless something of it is worth keeping."""
        found = self._store.apps.find(app)
        if found and not (
            self._store.releases.latest(app)
            or self._store.config.get(app)
            or self._store.disks.of(app)
            or self._store.domains.of(app)
        ):
            self._store.apps.destroy(app)
            self._converger.forget(app, grace_seconds=0)

    def deploy_branch(self, app: AppName, offered: Sequence[str]) -> str:
        """Return the app's setting, else main; master where a first push offers only that."""
        return deploy_branch_of(self._store.apps.find(app), offered)

    def deploy(
        self,
        app: AppName,
        ref: str,
        old: CommitId | None,
        source: Source,
        by: KeyName,
        output: Output,
        cancellation: Cancellation,
    ) -> None:
        self._deployer.deploy(source, ref, old, Asker(by, output, cancellation))
        self._pin(app, ref.removeprefix(HEADS), output)

    def _perhaps_meant(self, app: AppName) -> Sequence[str]:
        """A name that is much like another one may be a mistake."""
        others = [other.name for other in self._store.apps.list() if other.name != app]
        close = get_close_matches(app, others, n=1, cutoff=_ALIKE)
        return [
            f"       if {other} was meant:  git remote set-url deploy deploy:{other}"
            for other in close
        ]

    def _pin(self, app: AppName, branch: str, output: Output) -> None:
        """What deployed first deploys from now on, whatever else is pushed later."""
        found = self._store.apps.find(app)
        if found is None or found.settings.deploy.deploy_branch is not None:
            return
        deploy = replace(found.settings.deploy, deploy_branch=branch)
        self._store.apps.set_settings(app, replace(found.settings, deploy=deploy))
        if branch != DEPLOY_BRANCH:
            output.line(
                f"{branch} deploys {app} from now on; to change that:"
                f"  apps:set {app} deploy-branch={DEPLOY_BRANCH}"
            )


def post_receive(lifecycle: Lifecycle) -> AfterReceive:
    """Return the hook after a ref has moved; its failure is told and changes nothing."""

    def run(app: AppName, ref: str, old: str, new: str, by: KeyName, output: Output) -> None:
        facts = {"APP": str(app), "REF": ref, "OLD": old, "NEW": new, "BY": str(by)}
        try:
            lifecycle.run("post-receive", facts, output)
        except PushdeployError as error:
            output.trouble(error.message)

    return run
