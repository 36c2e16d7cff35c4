"""Rehearse: releases are tried on copies of the disks of the apps that would get them."""

from collections.abc import Sequence
from dataclasses import dataclass

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.errors import Cancelled, PushdeployError, UserError
from pushdeploy.domain.names import AppName
from pushdeploy.domain.promotion import Mode
from pushdeploy.domain.rehearsal import Report
from pushdeploy.domain.release import Release
from pushdeploy.flow.live_release import live_release
from pushdeploy.flow.promote import Promoter, Promotion
from pushdeploy.release.rehearsal import Rehearsal, Rehearsals
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """A rehearsal for ``app`` came to a report, or to the ``error`` that kept it from one."""

    app: AppName
    report: Report | None
    error: str = ""

    @property
    def went_well(self) -> bool:
        return self.report is not None and self.report.went_well


@dataclass(frozen=True, slots=True)
class RehearsalRequests:
    """A rehearsal without ``network`` lets nothing get out of the machine."""

    store: Store
    promoter: Promoter
    rehearsals: Rehearsals

    def of_app(self, app: AppName, source: AppName, asker: Asker, *, network: bool) -> Rehearsed:
        """Try the live slug of ``source`` in ``app``. ``UserError`` where it has none."""
        hint = f"releases:rehearse {app} --slug-of OTHER takes that of another app"
        origin = live_release(self.store, source, hint)
        return self._rehearse(app, origin, asker, network)

    def of_promotion(
        self, promotion: Promotion, asker: Asker, *, network: bool
    ) -> Sequence[Rehearsed]:
        """Try a promotion in one target after the other: side by side they would tell wrong times.

        What keeps one of them from being rehearsed is told, and the next one has its turn.
        """
        if promotion.mode is not Mode.INDEPENDENT:
            raise UserError(
                f"--{promotion.mode} says how traffic moves, and a rehearsal moves none",
                "leave it out",
            )
        origin = self.promoter.candidate(promotion)
        return [self._told(target, origin, asker, network) for target in promotion.targets]

    def _told(self, app: AppName, origin: Release, asker: Asker, network: bool) -> Rehearsed:
        try:
            return self._rehearse(app, origin, asker, network)
        except Cancelled:
            raise
        except PushdeployError as error:
            asker.output.failure(error)
            return Rehearsed(app, None, error.message)

    def _rehearse(self, app: AppName, origin: Release, asker: Asker, network: bool) -> Rehearsed:
        asked = Rehearsal(app, origin, asker.by, network)
        report = self.rehearsals.rehearse(asked, asker.output, asker.cancellation)
        return Rehearsed(app, report)
