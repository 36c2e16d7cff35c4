"""Proves from the running containers that every stage of a pipeline runs what the ledger says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pushdeploy.domain.names import AppName, ImageDigest
from pushdeploy.domain.pipeline import Pipeline
from pushdeploy.domain.ports.scheduler import Scheduler
from pushdeploy.domain.promotion import promoted_from
from pushdeploy.domain.release import Release
from pushdeploy.domain.verification import Evidence, disagreements, troubles_of
from pushdeploy.locks.apps import AppLocks
from pushdeploy.publish.publisher import Publisher
from pushdeploy.run.manifests import Manifests
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class Verification:
    """The evidence of each app, what is wrong with it, and where stages disagree."""

    evidence: Sequence[Evidence]
    troubles: Mapping[AppName, Sequence[str]]
    disagreements: Sequence[str]

    @property
    def verified(self) -> bool:
        return not self.disagreements and not any(self.troubles.values())


@dataclass(frozen=True, slots=True)
class Verifier:
    """The verifier compares the running containers of a pipeline with the ledger."""

    store: Store
    scheduler: Scheduler
    manifests: Manifests
    locks: AppLocks
    publisher: Publisher

    def verify(self, pipeline: Pipeline) -> Verification:
        found = [self._evidence(member.app) for member in pipeline.members]
        troubles = {evidence.app: list(troubles_of(evidence)) for evidence in found}
        return Verification(found, troubles, disagreements(found))

    def _evidence(self, app: AppName) -> Evidence:
        """Read from the engine first: what the ledger says afterwards is never older.

        Whoever holds the app's lock is asked for before and after: no deploy fits in between.
        """
        changing = self.locks.holder(app) is not None
        running = self.scheduler.specimens(app)
        found, live = self.store.apps.get(app), self.store.releases.current(app)
        named = {each.version for each in running if each.version is not None}
        records = [
            record for version in named if (record := self.store.releases.find(app, version))
        ]
        files, damaged = self.publisher.proofs(found, live) if live else ((), ())
        stopped = live is None or found.stopped or bool(live.unreadable)
        return Evidence(
            app=app,
            live=live,
            running=running,
            recorded={record.version: record.slug.image for record in records},
            wanted=() if live is None or stopped else self.manifests.of(found, live).slots(),
            shipping=frozenset(record.version for record in records if record.status.unfinished),
            promoted=self._promoted_image(live),
            changing=changing or self.locks.holder(app) is not None,
            files=files,
            damaged=damaged,
        )

    def _promoted_image(self, live: Release | None) -> ImageDigest | None:
        """The image of the release that ``live`` was promoted from, while the ledger has it.

        Another app may have got the name of that one since: its release has another commit.
        """
        origin = promoted_from(live) if live else None
        if live is None or origin is None:
            return None
        record = self.store.releases.find(*origin)
        if record is None or record.slug.commit != live.slug.commit:
            return None
        return record.slug.image
