"""A release: vN of an app. A slug, a snapshot of the config, the disks, and why. Append-only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from pushdeploy.domain.disk import Attachment, CutOver
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.names import AppName, CommitId, KeyName
from pushdeploy.domain.slug import Slug


class ReleaseStatus(StrEnum):
    """``pending → releasing → starting → switching → live → retired``, or ``failed`` from any."""

    PENDING = "pending"
    RELEASING = "releasing"
    STARTING = "starting"
    SWITCHING = "switching"
    LIVE = "live"
    RETIRED = "retired"
    FAILED = "failed"

    @property
    def unfinished(self) -> bool:
        return self in _UNFINISHED

    @property
    def went_live(self) -> bool:
        """Tell whether the release serves, or did until another one took its place."""
        return self in {ReleaseStatus.LIVE, ReleaseStatus.RETIRED}


_UNFINISHED = frozenset(
    {
        ReleaseStatus.PENDING,
        ReleaseStatus.RELEASING,
        ReleaseStatus.STARTING,
        ReleaseStatus.SWITCHING,
    }
)


class Reason(StrEnum):
    """A release is made for one of these reasons."""

    DEPLOY = "deploy"
    CONFIG = "config"
    PROMOTE = "promote"
    ROLLBACK = "rollback"
    RETRY = "retry"
    DISK = "disk"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A candidate is everything of a future release but its number.

    ``ref`` names the branch that moves to ``slug.commit`` when the release goes live, with
    ``ref_old`` the commit that it must still be at; None where no branch moves. Without
    ``release_phase`` its release command does not run. ``restore`` is a snapshot that the disks
    get before it. ``shared`` is the config of all apps; None: as it is when the release is made.
    """

    app: AppName
    slug: Slug
    config: Mapping[str, str] = field(repr=False)
    disks: Sequence[Attachment]
    reason: Reason
    description: str
    by: KeyName
    ref: str | None = None
    ref_old: CommitId | None = None
    release_phase: bool = True
    cut_over: CutOver = CutOver.OVERLAP
    restore: int | None = None
    shared: Mapping[str, str] | None = field(default=None, repr=False)
    scheduler: str | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """``version`` counts from 1 within an app and is never given twice.

    ``error`` is why it failed; of one that went live, that its processes did not stay up.
    ``live_at`` is when it went live, None where it never did. ``snapshot`` was taken of its disks
    before its release phase, ``restore`` is the one whose data they got then. The config holds
    secrets: it is left out of the repr. Without what is ``unreadable``, because it was damaged,
    nothing of the release can be started. ``scheduler`` runs it; None: that of the server.
    """

    app: AppName
    version: int
    status: ReleaseStatus
    reason: Reason
    description: str
    slug: Slug
    config: Mapping[str, str] = field(repr=False)
    disks: Sequence[Attachment]
    by: KeyName
    created_at: datetime
    error: str = ""
    ref: str | None = None
    ref_old: CommitId | None = None
    live_at: datetime | None = None
    cut_over: CutOver = CutOver.OVERLAP
    restore: int | None = None
    snapshot: int | None = None
    shared: Mapping[str, str] = field(default_factory=dict, repr=False)
    unreadable: Sequence[str] = ()
    scheduler: str | None = None

    @property
    def whole_config(self) -> Mapping[str, str]:
        """The app's own vars over those that all apps share."""
        return {**self.shared, **self.config}

    @property
    def label(self) -> str:
        return f"v{self.version}"


def refuse_unreadable(release: Release) -> None:
    """Raise ``PushdeployError`` where something is damaged that every process of it needs."""
    if release.unreadable:
        app, what = release.app, " and ".join(release.unreadable)
        raise PushdeployError(
            f"{what} of {release.label} of {app} cannot be read in the database",
            f"ps:rebuild {app} makes a release that can be read",
        )
