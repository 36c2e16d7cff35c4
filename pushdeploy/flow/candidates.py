"""Candidates: what is to become a release. Push, rebuild, retry, rollback, promote and changes of
config or disks differ in this only: which slug, with which config and which disks."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pushdeploy.domain.config import described_change
from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.names import AppName, CommitId, KeyName
from pushdeploy.domain.promotion import promotion_of
from pushdeploy.domain.push import Push
from pushdeploy.domain.release import Candidate, Reason, Release, refuse_unreadable
from pushdeploy.domain.slug import Slug
from pushdeploy.domain.snapshot import Snapshot
from pushdeploy.store import Store

_RETRIED = re.compile(r"\A(Retry of v[0-9]+: )+")


@dataclass(frozen=True, slots=True)
class Candidates:
    """Each kind of deploy puts its candidate together here."""

    store: Store

    def of_push(self, push: Push, slug: Slug) -> Candidate:
        """A new slug; the branch of ``push``, which is at its ``old``, moves when it is live."""
        made = self._wanted(push.app, slug, Reason.DEPLOY, f"Deploy {slug.commit.short}", push.by)
        return replace(made, ref=push.ref, ref_old=push.old)

    def of_rebuild(self, app: AppName, slug: Slug, by: KeyName) -> Candidate:
        """A new slug of a commit that was deployed before."""
        return self._wanted(app, slug, Reason.DEPLOY, f"Rebuild {slug.commit.short}", by)

    def of_retry(
        self, failed: Release, first: Reason, ref_old: CommitId | None, by: KeyName
    ) -> Candidate:
        """The slug of ``failed`` once more; ``first`` is why it was tried the first time.

        What failed as a change of config or of disks, or as a rollback, is tried as it was; all
        else with what is wanted now.
        """
        refuse_unreadable(failed)
        tried = f"Retry of {failed.label}: {_RETRIED.sub('', failed.description)}"
        made = self._wanted(failed.app, failed.slug, Reason.RETRY, tried, by)
        made = replace(made, ref=failed.ref, ref_old=ref_old)
        if first in {Reason.CONFIG, Reason.DISK, Reason.ROLLBACK}:
            made = replace(made, config=failed.config)
        if first in {Reason.CONFIG, Reason.DISK}:
            made = replace(made, disks=failed.disks)
        return made

    def of_rollback(
        self, former: Release, by: KeyName, *, release_phase: bool, restore: int | None
    ) -> Candidate:
        """The slug and the config of ``former``, with the disks of now."""
        refuse_unreadable(former)
        data = f" with the data of s{restore}" if restore is not None else ""
        made = self._wanted(
            former.app, former.slug, Reason.ROLLBACK, f"Rollback to {former.label}{data}", by
        )
        return replace(
            made,
            config=former.config,
            shared=former.shared,
            release_phase=release_phase,
            restore=restore,
        )

    def of_return(self, before: Release, by: KeyName) -> Candidate:
        """All of ``before``, which was live until a promotion that came to nothing."""
        why = f"Rollback to {before.label}: another target failed"
        made = self.of_rollback(before, by, release_phase=False, restore=None)
        return replace(made, description=why, disks=before.disks)

    def of_restore(
        self, live: Release, snapshot: Snapshot, by: KeyName, *, release_phase: bool
    ) -> Candidate:
        """The live slug, with the data of ``snapshot``."""
        what = f"Restore {snapshot.label}: {snapshot.description}"
        made = self._wanted(live.app, live.slug, Reason.RESTORE, what, by)
        return replace(made, restore=snapshot.id, release_phase=release_phase)

    def of_config(self, live: Release, config: Mapping[str, str], by: KeyName) -> Candidate:
        """The live slug with the app's own ``config``."""
        whole = {**self.store.config.shared(), **config}
        what = described_change(live.whole_config, whole)
        made = self._wanted(live.app, live.slug, Reason.CONFIG, what, by)
        return replace(made, config=config)

    def of_disks(
        self, live: Release, disks: Sequence[Attachment], what: str, by: KeyName
    ) -> Candidate:
        """The live slug with other ``disks``."""
        return replace(self._wanted(live.app, live.slug, Reason.DISK, what, by), disks=disks)

    def of_promotion(self, release: Release, target: AppName, by: KeyName) -> Candidate:
        """The slug of ``release`` for another app, with that app's own config and disks."""
        return self._wanted(target, release.slug, Reason.PROMOTE, promotion_of(release), by)

    def _wanted(
        self, app: AppName, slug: Slug, reason: Reason, description: str, by: KeyName
    ) -> Candidate:
        """With the config and the disks that are wanted of the app now."""
        config, disks = self.store.config.get(app), self.store.disks.of(app)
        return Candidate(app, slug, config, disks, reason, description, by)
