"""A rehearsal runs the release phase and boot of a release that is not made, on copies of the
disks.

Nothing that is live is touched. The app is locked while its disks are copied, and not a moment
longer: deploys may go on.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from pushdeploy.disks.directories import Directories
from pushdeploy.domain.app import App
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.manifest import Limits, Manifest, manifest_of
from pushdeploy.domain.names import AppName, KeyName
from pushdeploy.domain.ports.builder import Builder
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.ports.scheduler import Scheduler
from pushdeploy.domain.rehearsal import Report
from pushdeploy.domain.release import Reason, Release, ReleaseStatus
from pushdeploy.domain.sizes import about_bytes
from pushdeploy.locks.apps import AppLocks, Purpose
from pushdeploy.locks.going_on import GoingOn
from pushdeploy.locks.pins import Pins
from pushdeploy.release.copies import Copies, RehearsalSnapshot
from pushdeploy.release.rehearsal_run import RehearsalRun, run_rehearsal
from pushdeploy.release.snapshots import refuse_unsettled
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """A rehearsal takes the slug of ``origin`` with the config and the disks of ``app``.

    Without ``network`` nothing gets out of the machine.
    """

    app: AppName
    origin: Release
    by: KeyName
    network: bool = False


@dataclass(frozen=True, slots=True)
class Rehearsals:
    """Any number of rehearsals may go on at once, of one app too; they are thread-safe.

    A cut-over gives a process ``stop_seconds`` to end.
    """

    store: Store
    locks: AppLocks
    pins: Pins
    copies: Copies
    scheduler: Scheduler
    builder: Builder
    limits: Limits
    stop_seconds: int
    going_on: GoingOn = field(default_factory=GoingOn)

    def rehearse(self, asked: Rehearsal, output: Output, cancellation: Cancellation) -> Report:
        """Report the result; a command that fails or a process that does not boot is no error.

        ``Cancelled``, ``UserError`` or ``NoRoom``, and whatever the parts raise. Nothing is left in
        any case.
        """
        with self.going_on.noted(asked.app, cancellation), ExitStack() as undo:
            with ExitStack() as copied:
                with self._turn(asked, output, cancellation):
                    app = self.store.apps.get(asked.app)
                    self._refuse(app, asked.origin)
                    undo.enter_context(self.pins.pinned(asked.origin.slug.image))
                    release = self._imagined(app, asked)
                    _announce(asked, release, output)
                    snapshot = copied.enter_context(
                        self._snapshot(app, release, output, cancellation)
                    )
                disks = undo.enter_context(self._clones(snapshot, output, cancellation))
            own = undo.enter_context(cancellation.branch())
            undo.enter_context(self.copies.space_kept(own))
            run = RehearsalRun(
                app,
                asked.origin,
                release,
                self._manifest(app, release, disks, isolated=not asked.network),
                snapshot,
                disks,
                self.stop_seconds,
                output,
                own,
            )
            return run_rehearsal(run, self.scheduler)

    def cancel(self, app: AppName, reason: str) -> None:
        """End the rehearsals with an app's disks. Returns when nothing of it is left."""
        self.going_on.cancel(reason, app)

    def close(self, reason: str, timeout_seconds: float) -> None:
        """End all rehearsals; the next start removes the copies of those that go on."""
        self.going_on.cancel(reason, timeout_seconds=timeout_seconds)

    def sweep(self) -> int:
        """Remove the copies that a killed server has left, and return how many there were."""
        return self.copies.sweep()

    # ------------------------------------------------------------- before the copies are tried

    @contextmanager
    def _turn(self, asked: Rehearsal, output: Output, cancellation: Cancellation) -> Iterator[None]:
        purpose = Purpose(f"rehearsal of {asked.origin.app} {asked.origin.label}", asked.by)
        with self.locks.hold(asked.app, purpose, output, cancellation):
            yield

    def _refuse(self, app: App, origin: Release) -> None:
        refuse_unsettled(app)
        if not self.builder.has(origin.slug):
            raise UserError(
                f"{origin.label} of {origin.app} has expired: its slug is not on this machine"
                " any more",
                f"ps:rebuild {origin.app}",
            )

    def _imagined(self, app: App, asked: Rehearsal) -> Release:
        """The app's next release, as it would be; it stands in no ledger."""
        store = self.store
        latest = store.releases.latest(app.name)
        return Release(
            app=app.name,
            version=latest.version + 1 if latest else 1,
            status=ReleaseStatus.PENDING,
            reason=Reason.PROMOTE if asked.origin.app != app.name else Reason.DEPLOY,
            description=f"Rehearsal of {asked.origin.app} {asked.origin.label}",
            slug=asked.origin.slug,
            config=store.config.get(app.name),
            shared=store.config.shared(),
            disks=store.disks.of(app.name),
            by=asked.by,
            created_at=datetime.now(UTC),
        )

    @contextmanager
    def _snapshot(
        self, app: App, release: Release, output: Output, cancellation: Cancellation
    ) -> Iterator[RehearsalSnapshot]:
        """Cancelled at the next line that it says, where it takes long."""

        def line(text: str) -> None:
            cancellation.check()
            output.detail(text)

        with ExitStack() as undo:
            if not release.disks:
                yield undo.enter_context(self.copies.snapshot(app, (), line))
                return
            names = ", ".join(attachment.disk for attachment in release.disks)
            with output.step(f"Snapshot of {names}"):
                snapshot = undo.enter_context(self.copies.snapshot(app, release.disks, line))
            for attachment in release.disks:
                if attachment.disk not in snapshot.disks:
                    output.detail(f"{attachment.disk} is not copied: it is empty here")
            yield snapshot

    @contextmanager
    def _clones(
        self, snapshot: RehearsalSnapshot, output: Output, cancellation: Cancellation
    ) -> Iterator[Directories]:
        cancellation.check()
        with ExitStack() as undo:
            if not snapshot.disks:
                yield undo.enter_context(self.copies.clones(snapshot))
                return
            with output.step("Making a copy to rehearse on"):
                disks = undo.enter_context(self.copies.clones(snapshot))
                output.detail(f"{about_bytes(snapshot.size_bytes)}, {snapshot.kind}")
            cancellation.check()
            yield disks

    def _manifest(
        self, app: App, release: Release, disks: Directories, *, isolated: bool
    ) -> Manifest:
        """As that of the release would be, but for the copies in place of the disks."""
        mounts = disks.mounts(app, release.disks)
        place = self.store.pipelines.place_of(app.name)
        manifest = manifest_of(app, release, mounts, self.limits, place)
        return replace(manifest, rehearsal=True, isolated=isolated)


def _announce(asked: Rehearsal, release: Release, output: Output) -> None:
    origin = asked.origin
    output.headline(
        f"Rehearsal of {release.label} of {release.app}:"
        f" the slug of {origin.app} {origin.label} ({origin.slug.commit.short})"
    )
    if asked.network:
        output.detail("network: as ever. What its config names elsewhere is the real thing")
    else:
        output.detail("network: no way out of this machine")
