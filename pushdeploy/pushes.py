"""What a git push means: which branch deploys, who makes the app, and the deploy itself."""

from collections.abc import Sequence

from pushdeploy.deploy import Deployer
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.names import AppName, CommitId, KeyName
from pushdeploy.domain.ports import Output
from pushdeploy.domain.source import Source
from pushdeploy.ship import Asker
from pushdeploy.store import Store

_BRANCHES = ("main", "master")


class Pushes:
    """The port ``PushReceiver`` over the store and the flow."""

    def __init__(self, store: Store, deployer: Deployer) -> None:
        self._store = store
        self._deployer = deployer

    def open(self, app: AppName, by: KeyName) -> None:
        """The first push creates the app."""
        del by
        if self._store.apps.find(app) is None:
            self._store.apps.create(app)

    def abandon(self, app: AppName) -> None:
        """Remove an app that a failed first push made, unless something of it is worth keeping."""
        found = self._store.apps.find(app)
        if found and not (
            self._store.releases.latest(app)
            or self._store.config.get(app)
            or self._store.disks.of(app)
            or self._store.domains.of(app)
        ):
            self._store.apps.destroy(app)

    def deploy_branch(self, app: AppName, offered: Sequence[str]) -> str:
        """The app's setting, else main; master for an app whose first push offers only that."""
        found = self._store.apps.find(app)
        if found and found.settings.deploy_branch:
            return found.settings.deploy_branch
        live = self._store.releases.current(app) if found else None
        if live and live.ref:
            return live.ref.removeprefix("refs/heads/")
        return next((branch for branch in _BRANCHES if branch in offered), _BRANCHES[0])

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
        del app
        self._deployer.deploy(source, ref, old, Asker(by, output, cancellation))
