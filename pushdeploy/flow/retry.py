"""Retry: the slug of a release that failed is shipped once more, without a build."""

from dataclasses import dataclass

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import AppName
from pushdeploy.domain.ports.builder import Builder
from pushdeploy.domain.ports.refs import Refs
from pushdeploy.domain.release import Reason, Release, ReleaseStatus
from pushdeploy.flow.candidates import Candidates
from pushdeploy.flow.rollback import refuse_expired
from pushdeploy.flow.ship import Shipper
from pushdeploy.flow.turn import Turns
from pushdeploy.store import Store

_RECENT = 100
"""How many releases back a failed one is still looked for."""


@dataclass(frozen=True, slots=True)
class Retries:
    """A failed release is tried again, with its slug."""

    store: Store
    turns: Turns
    refs: Refs
    builder: Builder
    candidates: Candidates
    shipper: Shipper

    def retry(self, app: AppName, asker: Asker) -> Release:
        """Ship the slug of the last release once more, when that one failed.

        The config is what is wanted now, so a var that was missing may be set in between; that of
        a failed config change or rollback is tried again.
        """
        with self.turns.for_code(app, "retry", asker):
            failed = self._last_failed(app)
            refuse_expired(self.builder, failed)
            _refuse_restore(failed)
            ref_old = self.refs.read(app, failed.ref) if failed.ref else None
            first = self._first_reason(failed)
            candidate = self.candidates.of_retry(failed, first, ref_old, asker.by)
            return self.shipper.ship(candidate, asker)

    def _last_failed(self, app: AppName) -> Release:
        """The last release; the last that brought a slug, where only config has changed since."""
        for place, release in enumerate(self.store.releases.list(app, _RECENT)):
            brings_slug = release.reason not in {Reason.CONFIG, Reason.DISK, Reason.RESTORE}
            if release.status is ReleaseStatus.FAILED and (brings_slug or place == 0):
                return release
            if brings_slug:
                break
        raise UserError(f"the last release of {app} did not fail", f"releases {app}")

    def _first_reason(self, failed: Release) -> Reason:
        """Of the release that ``failed`` is a retry of, itself where it is none."""
        if failed.reason is not Reason.RETRY:
            return failed.reason
        for release in self.store.releases.list(failed.app, _RECENT):
            same = release.status is ReleaseStatus.FAILED and release.slug == failed.slug
            if same and release.reason is not Reason.RETRY:
                return release.reason
        return Reason.RETRY


def _refuse_restore(failed: Release) -> None:
    if failed.restore is not None:
        raise UserError(
            f"{failed.label} was to bring back the data of s{failed.restore}:"
            " data written since would be lost unsaid",
            f"disks:restore {failed.app} s{failed.restore}, or releases:rollback {failed.app}"
            " vN --with-disk, say what is lost",
        )
