"""THE FLOW. Push, rebuild, retry and config change differ only in where the slug comes from; then
all of them ship. Read this file first, then ship.py."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.config import changed_config, described_change
from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.errors import BuildFailed, Cancelled, PushdeployError, UserError
from pushdeploy.domain.names import AppName, CommitId, DiskName
from pushdeploy.domain.ports.builder import Builder
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.ports.refs import Refs
from pushdeploy.domain.release import Candidate, Reason, Release, ReleaseStatus
from pushdeploy.domain.slug import Slug
from pushdeploy.domain.snapshot import Snapshot
from pushdeploy.domain.source import Source
from pushdeploy.flow import first_deploy
from pushdeploy.flow.ship import Preparation, Shipper
from pushdeploy.lifecycle import Lifecycle
from pushdeploy.locks.apps import AppLocks, Purpose
from pushdeploy.release.snapshots import SnapshotPhase
from pushdeploy.store import Store

_RETRIED = re.compile(r"\A(Retry of v[0-9]+: )+")

_LOOK_BACK = 100
"""How many releases back a failed one, or one to roll back to, is looked for."""


@dataclass(frozen=True, slots=True)
class Deployer:
    """Makes candidates, one app at a time, and ships them."""

    store: Store
    locks: AppLocks
    refs: Refs
    builder: Builder
    lifecycle: Lifecycle
    shipper: Shipper
    snapshots: SnapshotPhase

    def deploy(self, source: Source, ref: str, old: CommitId | None, asker: Asker) -> None:
        """Build a pushed commit and ship it; the branch moves when it is live, and not before."""
        purpose = Purpose(f"deploy of {source.commit.short}", asker.by, supersedes=ref)
        with self._code_turn(source.app, purpose, asker):
            old = self._place_to_move_from(source, ref, old)
            if self._already_live(source, ref, old, asker.output):
                return
            slug, made = self._build(source, asker)
            source.reader.keep()
            candidate = self._wanted(
                source.app, slug, Reason.DEPLOY, f"Deploy {source.commit.short}", asker
            )
            self.shipper.ship(replace(candidate, ref=ref, ref_old=old), asker, made)

    def rebuild(self, app: AppName, asker: Asker) -> Release:
        """Build the live commit once more and ship it."""
        with self._code_turn(app, Purpose("rebuild", asker.by), asker):
            live = self._live(app)
            source = self.refs.source(app, live.slug.commit)
            if source is None:
                raise UserError(
                    f"the repository of {app} does not hold {live.slug.commit.short}",
                    "push it again",
                )
            slug, made = self._build(source, asker)
            return self.shipper.ship(
                self._wanted(app, slug, Reason.DEPLOY, f"Rebuild {slug.commit.short}", asker),
                asker,
                made,
            )

    def retry(self, app: AppName, asker: Asker) -> Release:
        """Ship the slug of the last release once more, when that one failed.

        The config is what is wanted now, so a var that was missing may be set in between; that of
        a failed config change or rollback is tried again.
        """
        with self._code_turn(app, Purpose("retry", asker.by), asker):
            failed = self._last_failed(app)
            self._refuse_expired(failed)
            if failed.restore is not None:
                raise UserError(
                    f"{failed.label} was to bring back the data of s{failed.restore}:"
                    " what has been written since would be lost unsaid",
                    f"disks:restore {app} s{failed.restore}, or releases:rollback {app}"
                    " vN --with-disk, say what is lost",
                )
            tried = _RETRIED.sub("", failed.description)
            description = f"Retry of {failed.label}: {tried}"
            candidate = replace(
                self._wanted(app, failed.slug, Reason.RETRY, description, asker),
                ref=failed.ref,
                ref_old=self.refs.read(app, failed.ref) if failed.ref else None,
            )
            reason = self._first_reason(failed)
            if reason in {Reason.CONFIG, Reason.DISK, Reason.ROLLBACK}:
                candidate = replace(candidate, config=failed.config)
            if reason in {Reason.CONFIG, Reason.DISK}:
                candidate = replace(candidate, disks=failed.disks)
            return self.shipper.ship(candidate, asker)

    def rollback(
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
        with self._turn(app, Purpose("rollback", asker.by), asker):
            former = self._former(app, version)
            self._refuse_expired(former)
            description = f"Rollback to {former.label}"
            if restore is not None:
                description += f" with the data of s{restore}"
            candidate = replace(
                self._wanted(app, former.slug, Reason.ROLLBACK, description, asker),
                config=former.config,
                shared=former.shared,
                release_phase=release_phase,
                restore=restore,
            )
            return self.shipper.ship(candidate, asker)

    def former(self, app: AppName, version: int | None) -> Release:
        """The release that ``rollback`` would go back to."""
        self.store.apps.get(app)
        return self._former(app, version)

    def restore(
        self, app: AppName, snapshot: Snapshot, asker: Asker, *, release_phase: bool = True
    ) -> Release | None:
        """Ship the live slug with the data of ``snapshot``; its release command brings it forward.

        None when the app has no release yet: its disks have the data then.
        """
        with self._turn(app, Purpose(f"restore of {snapshot.label}", asker.by), asker):
            live = self.store.releases.current(app)
            if live is None:
                found = self.store.apps.get(app)
                wanted = self.store.snapshots.get(app, snapshot.id)
                asker.cancellation.commit()
                self.snapshots.exchange(found, wanted, asker.by, asker.output)
                return None
            return self._ship_with_data(live, snapshot, asker, release_phase=release_phase)

    def bring_in(self, app: AppName, snapshot: Snapshot, asker: Asker) -> Release | None:
        """Let what has come from elsewhere take its disks: a restore where the live release has
        them.

        Else they have it when this returns None, for nobody looks; what they held is a snapshot
        then, and ``snapshot`` itself, which is the same as the disks, is gone.
        """
        with self._turn(app, Purpose(f"import of {snapshot.label}", asker.by), asker):
            attached = {attachment.disk for attachment in self.store.disks.of(app)}
            live = self.store.releases.current(app)
            if live is not None and attached & set(snapshot.disks):
                return self._ship_with_data(live, snapshot, asker, release_phase=True)
            asker.cancellation.commit()
            found = self.store.apps.get(app)
            self.snapshots.replace(found, snapshot, asker.by, asker.output)
            return None

    def reconfigure(
        self,
        app: AppName,
        changes: Mapping[str, str | None],
        asker: Asker,
        *,
        release: bool = True,
    ) -> Release | None:
        """Set (or with None unset) config vars: one release for them and all that was staged.

        None when these vars are live so already, or when they wait for the next release: without
        ``release``, or when the app has none yet. Where the release fails, what is wanted stays
        as it was before.
        """
        with self._turn(app, Purpose("config change", asker.by), asker):
            wanted, _ = changed_config(self.store.config.get(app), changes)
            live = self.store.releases.current(app)
            if live is None or not release or self._has_so(live, changes, wanted):
                self.store.config.replace(app, wanted)
                return None
            return self._ship_config(live, wanted, asker)

    def follow(self, app: AppName, keys: Collection[str], asker: Asker) -> Release | None:
        """Release the config of all apps with the app's own; None where ``keys`` are live so."""
        with self._turn(app, Purpose("config change", asker.by), asker):
            wanted, live = self.store.config.get(app), self.store.releases.current(app)
            if live is None or self._has_so(live, keys, wanted):
                return None
            return self._ship_config(live, wanted, asker)

    def attach(self, app: AppName, attachment: Attachment, asker: Asker) -> Release | None:
        """Attach a disk; None when the app has no release yet and the disk waits for it."""
        with self._turn(app, Purpose(f"attach {attachment.disk}", asker.by), asker):
            self.refuse_attachment(app, attachment)
            disks = [*self.store.disks.of(app), attachment]
            return self._change_disks(app, disks, f"Attach {attachment.disk}", asker)

    def refuse_attachment(self, app: AppName, attachment: Attachment) -> None:
        """``UserError`` where the disk, or its place, is taken already."""
        for other in self.store.disks.of(app):
            if other.disk == attachment.disk or other.mount_path == attachment.mount_path:
                raise UserError(
                    f"disk {other.disk} is attached at {other.mount_path}",
                    f"disks:detach {app} {other.disk}",
                )

    def detach(self, app: AppName, disk: DiskName, asker: Asker) -> Release | None:
        """Detach a disk; its data stays where it is."""
        with self._turn(app, Purpose(f"detach {disk}", asker.by), asker):
            disks = self.store.disks.of(app)
            if disk not in [attachment.disk for attachment in disks]:
                raise UserError(f"no disk {disk} is attached to {app}", f"disks:list {app}")
            left = [attachment for attachment in disks if attachment.disk != disk]
            return self._change_disks(app, left, f"Detach {disk}", asker)

    # ------------------------------------------------------------- what the steps share

    @contextmanager
    def _turn(self, app: AppName, purpose: Purpose, asker: Asker) -> Iterator[None]:
        self.store.apps.get(app)
        with self.locks.hold(app, purpose, asker.output, asker.cancellation):
            self.store.apps.get(app)
            yield

    @contextmanager
    def _code_turn(self, app: AppName, purpose: Purpose, asker: Asker) -> Iterator[None]:
        """For what brings new code: ``Busy`` when a person has locked the app, before or after."""
        self.shipper.refuse_locked(self.store.apps.get(app))
        with self._turn(app, purpose, asker):
            self.shipper.refuse_locked(self.store.apps.get(app))
            yield

    def _build(self, source: Source, asker: Asker) -> tuple[Slug, Preparation]:
        """The slug, and what was printed on the way to it."""
        made = Preparation()
        output = asker.output.also(made.lines.append, made.add_step)
        facts = {"APP": str(source.app), "SLUG_COMMIT": str(source.commit), "BY": str(asker.by)}
        self._run_pre_build(facts, output, asker.cancellation)
        first_deploy.configure(self.store, source, output)
        config = self.store.config.whole(source.app)
        app_id = self.store.apps.get(source.app).id
        slug = self.builder.build(source, app_id, config, output, asker.cancellation)
        asker.cancellation.check()
        first_deploy.advise(self.store, source, slug, output)
        return slug, made

    def _run_pre_build(
        self, facts: Mapping[str, str], output: Output, cancellation: Cancellation
    ) -> None:
        """The operator's word on whether there may be a build: its failure is the build's."""
        try:
            self.lifecycle.run("pre-build", facts, output, cancellation)
        except Cancelled:
            raise
        except PushdeployError as error:
            raise BuildFailed(error.message, error.hint) from error

    def _has_so(self, live: Release, keys: Collection[str], wanted: Mapping[str, str]) -> bool:
        """Whether ``keys`` are live as they would be with the own config ``wanted``."""
        whole = {**self.store.config.shared(), **wanted}
        return all(live.whole_config.get(key) == whole.get(key) for key in keys)

    def _ship_config(self, live: Release, wanted: Mapping[str, str], asker: Asker) -> Release:
        app = live.app
        whole = {**self.store.config.shared(), **wanted}
        disks, description = self.store.disks.of(app), described_change(live.whole_config, whole)
        return self.shipper.ship(
            Candidate(app, live.slug, wanted, disks, Reason.CONFIG, description, asker.by), asker
        )

    def _refuse_expired(self, release: Release) -> None:
        if not self.builder.has(release.slug):
            raise UserError(
                f"{release.label} has expired: its slug is not on this machine any more",
                f"releases {release.app} shows what is left; a push builds it again",
            )

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

    def _former(self, app: AppName, version: int | None) -> Release:
        live = self._live(app)
        former: Release | None = (
            self._last_that_differs(app, live)
            if version is None
            else self.store.releases.get(app, version)
        )
        if former is None:
            raise UserError(f"{app} has no former release to go back to", f"releases {app}")
        if former.version == live.version:
            raise UserError(f"{live.label} is what runs", f"releases {app} shows the others")
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

    def _live(self, app: AppName) -> Release:
        live = self.store.releases.current(app)
        if live is None:
            raise UserError(
                f"{app} has no live release", f"git push deploy main, or releases {app}"
            )
        return live

    def _last_failed(self, app: AppName) -> Release:
        """The last release; the last that brought a slug, where only config has changed since."""
        for place, release in enumerate(self.store.releases.list(app, _LOOK_BACK)):
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
        for release in self.store.releases.list(failed.app, _LOOK_BACK):
            same = release.status is ReleaseStatus.FAILED and release.slug == failed.slug
            if same and release.reason is not Reason.RETRY:
                return release.reason
        return Reason.RETRY

    def _wanted(
        self, app: AppName, slug: Slug, reason: Reason, description: str, asker: Asker
    ) -> Candidate:
        config, disks = self.store.config.get(app), self.store.disks.of(app)
        return Candidate(app, slug, config, disks, reason, description, asker.by)

    def _ship_with_data(
        self, live: Release, snapshot: Snapshot, asker: Asker, *, release_phase: bool
    ) -> Release:
        description = f"Restore {snapshot.label}: {snapshot.description}"
        candidate = self._wanted(live.app, live.slug, Reason.RESTORE, description, asker)
        return self.shipper.ship(
            replace(candidate, restore=snapshot.id, release_phase=release_phase), asker
        )

    def _change_disks(
        self, app: AppName, disks: Sequence[Attachment], description: str, asker: Asker
    ) -> Release | None:
        live = self.store.releases.current(app)
        if live is None:
            self.store.disks.replace(app, disks)
            return None
        config = self.store.config.get(app)
        return self.shipper.ship(
            Candidate(app, live.slug, config, disks, Reason.DISK, description, asker.by), asker
        )
