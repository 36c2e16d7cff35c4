"""This is THE FLOW.

Push, rebuild, retry, rollback, promote and config change differ only in where the slug comes from
(candidates.py); then all of them ship. Read this file first, then ship.py.
"""

from dataclasses import dataclass

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import AppName, CommitId
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.ports.refs import Refs
from pushdeploy.domain.release import Release
from pushdeploy.domain.source import Source
from pushdeploy.flow.building import Building
from pushdeploy.flow.candidates import Candidates
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

    def deploy(self, source: Source, ref: str, old: CommitId | None, asker: Asker) -> None:
        """Build a pushed commit and ship it; the branch moves when it is live, and not before."""
        app, what = source.app, f"deploy of {source.commit.short}"
        with self.turns.for_code(app, what, asker, supersedes=ref):
            old = self._place_to_move_from(source, ref, old)
            if self._already_live(source, ref, old, asker.output):
                return
            slug, made = self.building.slug_of(source, asker)
            source.reader.keep()
            self.shipper.ship(self.candidates.of_push(app, slug, ref, old, asker.by), asker, made)

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

    def _place_to_move_from(
        self, source: Source, ref: str, old: CommitId | None
    ) -> CommitId | None:
        """Where the branch is now, ``old`` or further on in the history of ``source``.

        Two pushes of one clone may so follow each other; ``UserError`` where one would be lost.
        """
        at = self.refs.read(source.app, ref)
        if at == old or (at is not None and source.reader.descends_from(at)):
            return at
        raise UserError(
            f"{ref.removeprefix('refs/heads/')} has moved to {at.short if at else 'nothing'}"
            " since this push began",
            "git fetch, then push again",
        )

    def _already_live(self, source: Source, ref: str, old: CommitId | None, output: Output) -> bool:
        live = self.store.releases.current(source.app)
        if live is None or live.slug.commit != source.commit:
            return False
        output.headline(f"{source.commit.short} is live already, as {live.label}")
        output.detail(f"ps:rebuild {source.app} builds and releases it again")
        source.reader.keep()
        return self.refs.move(source.app, ref, old, source.commit)


def live_release(store: Store, app: AppName) -> Release:
    """Raise ``UserError`` where there is none."""
    live = store.releases.current(app)
    if live is None:
        raise UserError(f"{app} has no live release", f"git push deploy main, or releases {app}")
    return live
