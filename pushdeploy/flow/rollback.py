"""Rollback: the slug and the config of a former release are shipped once more."""

from dataclasses import dataclass

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import AppName
from pushdeploy.domain.ports.builder import Builder
from pushdeploy.domain.release import Release, ReleaseStatus
from pushdeploy.flow.candidates import Candidates
from pushdeploy.flow.live_release import live_release
from pushdeploy.flow.ship import Shipper
from pushdeploy.flow.turn import Turns
from pushdeploy.store import Store

_LOOK_BACK = 100
"""How many releases a rollback without a version looks through."""


@dataclass(frozen=True, slots=True)
class Rollbacks:
    """An earlier release's slug goes live again."""

    store: Store
    turns: Turns
    builder: Builder
    candidates: Candidates
    shipper: Shipper

    def roll_back(
        self,
        app: AppName,
        version: int | None,
        asker: Asker,
        *,
        release_phase: bool = True,
        restore: int | None = None,
    ) -> Release:
        """Ship a former release's slug with its config once more.

        Without ``version``, that of the last live release which differs from today's. Data stays
        as it is, unless ``restore`` names a snapshot. A person's lock does not forbid it: it
        brings nothing new.
        """
        with self.turns.of(app, "rollback", asker):
            former = self._former(app, version)
            refuse_expired(self.builder, former)
            candidate = self.candidates.of_rollback(
                former, asker.by, release_phase=release_phase, restore=restore
            )
            return self.shipper.ship(candidate, asker)

    def former(self, app: AppName, version: int | None) -> Release:
        """The release that ``roll_back`` would go back to."""
        self.store.apps.get(app)
        return self._former(app, version)

    def _former(self, app: AppName, version: int | None) -> Release:
        live = live_release(self.store, app)
        former: Release | None = (
            self._last_that_differs(app, live)
            if version is None
            else self.store.releases.get(app, version)
        )
        if former is None:
            raise UserError(f"{app} has no former release to go back to", f"releases {app}")
        if former.version == live.version:
            raise UserError(f"{live.label} runs already", f"releases {app} shows the others")
        if former.status is not ReleaseStatus.RETIRED:
            raise UserError(
                f"{former.label} was never live: it is {former.status}", f"releases {app}"
            )
        return former

    def _last_that_differs(self, app: AppName, live: Release) -> Release | None:
        for release in self.store.releases.list(app, _LOOK_BACK):
            ran = release.status is ReleaseStatus.RETIRED
            if ran and (release.slug.image, release.whole_config) != (
                live.slug.image,
                live.whole_config,
            ):
                return release
        return None


def refuse_expired(builder: Builder, release: Release, *, of: str = "", hint: str = "") -> None:
    """Raise ``UserError`` where the slug of ``release`` is not on this machine any more."""
    if not builder.has(release.slug):
        left = f"releases {release.app} shows the releases that are left; a push builds it again"
        raise UserError(
            f"{release.label}{of} has expired: its slug is not on this machine any more",
            hint or left,
        )
