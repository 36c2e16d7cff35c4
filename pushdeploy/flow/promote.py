"""Promote: the live slug of one app becomes a release of others: the same bytes, no build."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from operator import itemgetter

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.errors import PushdeployError, UserError
from pushdeploy.domain.names import AppName
from pushdeploy.domain.ports.builder import Builder
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.ports.refs import Refs
from pushdeploy.domain.promotion import Mode, TargetResult
from pushdeploy.domain.release import Release, ReleaseStatus
from pushdeploy.flow.candidates import Candidates
from pushdeploy.flow.rollback import refuse_expired
from pushdeploy.flow.ship import Shipper
from pushdeploy.flow.take_back import Former, TakeBack
from pushdeploy.flow.turn import Turns, refuse_locked
from pushdeploy.locks.together import Together
from pushdeploy.store import Store

_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Promotion:
    """A promotion is asked for; ``version`` None means the source's live release."""

    source: AppName
    targets: Sequence[AppName]
    version: int | None = None
    mode: Mode = Mode.INDEPENDENT
    force: bool = False


@dataclass(frozen=True, slots=True)
class Promoter:
    """A slug goes from one stage to the apps of another."""

    store: Store
    turns: Turns
    refs: Refs
    builder: Builder
    candidates: Candidates
    shipper: Shipper
    take_back: TakeBack

    def promote(self, promotion: Promotion, asker: Asker) -> Sequence[TargetResult]:
        """A result for each target, in their order. The source is not locked and not touched.

        ``UserError`` when it cannot be asked for: nothing has been changed then.
        """
        release = self._source_release(promotion)
        for target in promotion.targets:
            self._refuse(promotion, release, target)
        outputs = _outputs(promotion.targets, asker.output)
        if promotion.mode is Mode.ONE_BY_ONE:
            return self._one_by_one(promotion, release, outputs, asker)
        if promotion.mode is Mode.ALL_OR_NOTHING:
            return self._all_or_nothing(promotion, release, outputs, asker)
        return self._side_by_side(promotion, release, outputs, asker)

    def candidate(self, promotion: Promotion) -> Release:
        """The release whose slug ``promote`` would take, changing nothing.

        ``UserError`` where it would refuse; what a person has locked may be asked for.
        """
        release = self._source_release(promotion)
        self._refuse_expired(release)
        for target in promotion.targets:
            self._refuse_strangers(promotion, release, self.store.apps.get(target).name)
        return release

    # ------------------------------------------------------------- the three modes

    def _side_by_side(
        self, promotion: Promotion, release: Release, outputs: Sequence[Output], asker: Asker
    ) -> Sequence[TargetResult]:
        def one(target: AppName, output: Output) -> TargetResult:
            return self._alone(release, target, replace(asker, output=output))

        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="promote") as pool:
            return list(pool.map(one, promotion.targets, outputs))

    def _one_by_one(
        self, promotion: Promotion, release: Release, outputs: Sequence[Output], asker: Asker
    ) -> Sequence[TargetResult]:
        results: list[TargetResult] = []
        for target, output in zip(promotion.targets, outputs, strict=True):
            cancelled = asker.cancellation.cancelled
            if results and (results[-1].outcome != "succeeded" or cancelled):
                results.append(TargetResult(target, "skipped"))
                continue
            results.append(self._alone(release, target, replace(asker, output=output)))
        return results

    def _all_or_nothing(
        self, promotion: Promotion, release: Release, outputs: Sequence[Output], asker: Asker
    ) -> Sequence[TargetResult]:
        """Every lock first, in one order for everybody: two of these cannot wait for each other."""
        together = Together(len(promotion.targets))

        def one(target: AppName, output: Output) -> TargetResult:
            succeeded = False
            try:
                result = self._ship(release, target, replace(asker, output=output), together.arrive)
                succeeded = result.outcome == "succeeded"
            finally:
                if not succeeded:  # also by a defect of ours: the others must not wait for ever
                    together.give_up(f"{target} failed")
            return result

        with ExitStack() as held:
            each = zip(promotion.targets, outputs, strict=True)
            for target, output in sorted(each, key=itemgetter(0)):
                held.enter_context(self._turn(release, target, replace(asker, output=output)))
            former = {target: self.take_back.former(target) for target in promotion.targets}
            held.enter_context(self.take_back.noted(former))
            with ThreadPoolExecutor(len(promotion.targets), thread_name_prefix="promote") as pool:
                results = list(pool.map(one, promotion.targets, outputs))
            if all(result.outcome == "succeeded" for result in results):
                return results
            return [
                self._taken_back(result, former[result.app], replace(asker, output=output))
                for result, output in zip(results, outputs, strict=True)
            ]

    # ------------------------------------------------------------- one target

    def _alone(self, release: Release, target: AppName, asker: Asker) -> TargetResult:
        """Ctrl-C ends its wait, also while another target is past stopping."""
        try:
            with asker.cancellation.branch() as own:
                asker = replace(asker, cancellation=own)
                with self._turn(release, target, asker):
                    return self._ship(release, target, asker, None)
        except PushdeployError as error:
            asker.output.failure(error)
            return TargetResult(target, "failed", error=error.message)

    def _ship(
        self,
        release: Release,
        target: AppName,
        asker: Asker,
        before_switch: Callable[[], None] | None,
    ) -> TargetResult:
        """A new release of the target, or why there is none; called under its lock."""
        before = self._latest_version(target)
        try:
            candidate = self.candidates.of_promotion(release, target, asker.by)
            shipped = self.shipper.ship(candidate, asker, before_switch=before_switch)
            result = TargetResult(target, "succeeded", shipped.version)
        except PushdeployError as error:
            asker.output.failure(error)
            made = self._latest_version(target)
            made = made if made != before else None
            result = TargetResult(target, "failed", made, error.message)
        self._share(release, target, asker.output)
        return result

    def _share(self, release: Release, target: AppName, output: Output) -> None:
        """The target gets the commit, for a rebuild or a retry. What is live is live without it."""
        try:
            self.refs.share(release.app, target, release.slug.commit)
        except PushdeployError as error:
            output.trouble(
                f"{release.slug.commit.short} is not in the repository of {target}: {error.message}"
            )

    def _taken_back(self, result: TargetResult, former: Former, asker: Asker) -> TargetResult:
        """A target that went live before another one failed gets its former slug again."""
        if result.outcome != "succeeded":
            return result
        if former.live is None:
            return replace(result, error="it had no release before: the new one stays")
        try:
            back = self.take_back.restore(result.app, former.live, former, asker)
        except PushdeployError as error:
            asker.output.failure(error)
            return replace(result, error=f"it could not be rolled back: {error.message}")
        return TargetResult(result.app, "rolled back", back.version)

    @contextmanager
    def _turn(self, release: Release, target: AppName, asker: Asker) -> Iterator[None]:
        """The wait may have been long: what may have changed meanwhile is refused once more."""
        what = f"promotion of {release.app} {release.label}"
        with self.turns.for_code(target, what, asker):
            self.store.releases.get(release.app, release.version)  # its app may have been destroyed
            self._refuse_expired(release)
            yield

    # ------------------------------------------------------------- what is refused

    def _source_release(self, promotion: Promotion) -> Release:
        source = self.store.apps.get(promotion.source).name
        if promotion.version is None:
            live = self.store.releases.current(source)
            if live is None:
                raise UserError(
                    f"{source} has no live release to promote", "git push deploy main, first"
                )
            return live
        release = self.store.releases.get(source, promotion.version)
        if not release.status.went_live:
            raise UserError(
                f"{release.label} of {source} was never live: it is {release.status}",
                f"releases {source}",
            )
        return release

    def _refuse(self, promotion: Promotion, release: Release, target: AppName) -> None:
        """Raise ``UserError`` with the reason why ``release`` cannot become one of ``target``."""
        refuse_locked(self.store.apps.get(target))
        self._refuse_expired(release)
        self._refuse_strangers(promotion, release, target)

    def _refuse_strangers(self, promotion: Promotion, release: Release, target: AppName) -> None:
        if target == promotion.source:
            raise UserError(f"{target} cannot be promoted to itself", "pipelines:info")
        live = self.store.releases.current(target)
        if live is None or promotion.force:
            return
        if not self.refs.related(release.app, release.slug.commit, target, live.slug.commit):
            raise UserError(
                f"{release.slug.commit.short} of {release.app} and {live.slug.commit.short}"
                f" of {target} share no history",
                "--force promotes all the same",
            )

    def _refuse_expired(self, release: Release) -> None:
        live = release.status is ReleaseStatus.LIVE
        left = f"releases {release.app} shows the releases that are left"
        hint = f"ps:rebuild {release.app}" if live else left
        refuse_expired(self.builder, release, of=f" of {release.app}", hint=hint)

    def _latest_version(self, target: AppName) -> int | None:
        latest = self.store.releases.latest(target)
        return latest.version if latest else None


def _outputs(targets: Sequence[AppName], output: Output) -> Sequence[Output]:
    """Each target's lines carry its name, where there are several."""
    if len(targets) == 1:
        return [output]
    width = max(len(target) for target in targets)
    return [output.prefixed(f"[{target}] ".ljust(width + 3)) for target in targets]
