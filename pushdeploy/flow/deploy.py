"""This is THE FLOW.

Push, rebuild, retry, rollback, promote and config change differ only in where the slug comes from
(candidates.py); then all of them ship. Read this file first, then ship.py.
"""

from dataclasses import dataclass, replace

from pushdeploy.domain.app import DEPLOY_BRANCH
from pushdeploy.domain.asker import Asker
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import AppName
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.ports.refs import Refs
from pushdeploy.domain.push import Push
from pushdeploy.domain.release import Release
from pushdeploy.domain.source import Source
from pushdeploy.flow.building import Building
from pushdeploy.flow.candidates import Candidates
from pushdeploy.flow.live_release import live_release
from pushdeploy.flow.ship import Shipper
from pushdeploy.flow.turn import Turns
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class Deployer:
    """Brings new slugs live, one app at a time."""

    store: Store
    turns: Turns
    refs: Refs
    building: Building
    candidates: Candidates
    shipper: Shipper

    def deploy(self, push: Push, source: Source, asker: Asker) -> None:
        """Build a pushed commit and ship it; the branch moves when it is live, and not before.

        What deployed first deploys from now on, whatever else is pushed later.
        """
        what = f"deploy of {push.commit.short}"
        with self.turns.for_code(push.app, what, asker, supersedes=push.ref):
            push = self._moved_on(push, source)
            if not self._already_live(push, source, asker.output):
                slug, made = self.building.slug_of(source, asker)
                source.reader.keep()
                self.shipper.ship(self.candidates.of_push(push, slug), asker, made)
        self._pin(push, asker.output)

    def rebuild(self, app: AppName, asker: Asker) -> Release:
        """Build the live commit once more and ship it."""
        with self.turns.for_code(app, "rebuild", asker):
            live = live_release(self.store, app)
            source = self.refs.source(app, live.slug.commit)
            if source is None:
                raise UserError(
                    f"the repository of {app} does not hold {live.slug.commit.short}",
                    "push it again",
                )
            slug, made = self.building.slug_of(source, asker)
            return self.shipper.ship(self.candidates.of_rebuild(app, slug, asker.by), asker, made)

    def _moved_on(self, push: Push, source: Source) -> Push:
        """Its ``old`` is where the branch is now: there still, or further on in its own history.

        Two pushes of one clone may so follow each other; ``UserError`` where one would be lost.
        """
        at = self.refs.read(push.app, push.ref)
        if at == push.old or (at is not None and source.reader.descends_from(at)):
            return replace(push, old=at)
        raise UserError(
            f"{push.branch} has moved to {at.short if at else 'nothing'} since this push began",
            "git fetch, then push again",
        )

    def _already_live(self, push: Push, source: Source, output: Output) -> bool:
        live = self.store.releases.current(push.app)
        if live is None or live.slug.commit != push.commit:
            return False
        output.headline(f"{push.commit.short} is live already, as {live.label}")
        output.detail(f"ps:rebuild {push.app} builds and releases it again")
        source.reader.keep()
        return self.refs.move(push.app, push.ref, push.old, push.commit)

    def _pin(self, push: Push, output: Output) -> None:
        found = self.store.apps.find(push.app)
        if found is None or found.settings.deploy.deploy_branch is not None:
            return
        deploy = replace(found.settings.deploy, deploy_branch=push.branch)
        self.store.apps.set_settings(push.app, replace(found.settings, deploy=deploy))
        if push.branch != DEPLOY_BRANCH:
            output.line(
                f"{push.branch} deploys {push.app} from now on; to change that:"
                f"  apps:set {push.app} deploy-branch={DEPLOY_BRANCH}"
            )
