"""Rows become the domain's nouns and the other way round, JSON included."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

from sqlalchemy import Row, RowMapping

from pushdeploy.domain.app import App, AppLock
from pushdeploy.domain.disk import Attachment, CutOver
from pushdeploy.domain.names import (
    AppName,
    CommitId,
    DiskName,
    ImageDigest,
    KeyName,
    ProcessType,
    TreeId,
)
from pushdeploy.domain.release import Reason, Release, ReleaseStatus
from pushdeploy.domain.settings import AppSettings
from pushdeploy.domain.settings.deploy import DeploySettings
from pushdeploy.domain.settings.disks import DiskSettings
from pushdeploy.domain.settings.front import FrontSettings
from pushdeploy.domain.settings.run import RunSettings
from pushdeploy.domain.slug import Healthcheck, Slug
from pushdeploy.domain.snapshot import Snapshot
from pushdeploy.store.schema import APPS, RELEASES, SLUGS, SNAPSHOTS

Json = dict[str, Any]

_Stored = DeploySettings | RunSettings | FrontSettings | DiskSettings | Healthcheck


def app_of(row: Row[Any]) -> App:
    return App(
        id=row.id,
        name=AppName(row.name),
        created_at=row.created_at,
        settings=_settings_of(row.settings),
        formation=_quantities(row.formation),
        current_version=row.current_version,
        stopped=row.stopped,
        lock=_lock_of(row),
        put_back=row.put_back,
    )


def lock_values(lock: AppLock | None) -> Json:
    """Return the columns of a lock, all empty without one."""
    return {
        "lock_by": str(lock.by) if lock else None,
        "lock_message": lock.message if lock else None,
        "lock_at": lock.at if lock else None,
    }


def settings_json(settings: AppSettings) -> Json:
    """Return the fields of all sections side by side, as they were before there were sections."""
    return {name: value for part in asdict(settings).values() for name, value in part.items()}


def formation_json(formation: Mapping[ProcessType, int]) -> Json:
    return {str(kind): int(quantity) for kind, quantity in formation.items()}


def disks_json(attachments: Sequence[Attachment]) -> list[Json]:
    return [
        {"disk": str(attachment.disk), "mount_path": attachment.mount_path}
        for attachment in attachments
    ]


def disks_of(stored: Sequence[Mapping[str, str]]) -> Sequence[Attachment]:
    return tuple(Attachment(DiskName(each["disk"]), each["mount_path"]) for each in stored)


def slug_values(slug: Slug) -> Json:
    """Return the columns of a slug's row."""
    return {
        "key": slug.key,
        "image": slug.image,
        "commit_id": str(slug.commit),
        "tree": slug.tree,
        "builder": slug.builder,
        "stack": slug.stack,
        "process_types": {str(kind): command for kind, command in slug.process_types.items()},
        "release_command": slug.release_command,
        "runs_as": slug.runs_as,
        "size_bytes": slug.size_bytes,
        "created_at": slug.created_at,
        "port": slug.port,
        "checks": {str(k): [asdict(check) for check in v] for k, v in slug.checks.items()},
        "formation": formation_json(slug.formation),
    }


def slug_of(row: RowMapping) -> Slug:
    """Make a slug of a row that has all columns of SLUGS, among others."""
    slug = SLUGS.c
    return Slug(
        image=ImageDigest(row[slug.image]),
        key=row[slug.key],
        commit=CommitId(row[slug.commit_id]),
        tree=TreeId(row[slug.tree]),
        builder=row[slug.builder],
        stack=row[slug.stack],
        process_types={ProcessType(k): command for k, command in row[slug.process_types].items()},
        release_command=row[slug.release_command],
        runs_as=row[slug.runs_as],
        size_bytes=row[slug.size_bytes],
        created_at=row[slug.created_at],
        port=row[slug.port],
        checks={ProcessType(k): tuple(map(_check, v)) for k, v in row[slug.checks].items()},
        formation=_quantities(row[slug.formation]),
    )


def release_of(row: RowMapping) -> Release:
    """Make a release of a row that joins it with its app and its slug, which others may share.

    The commit is the release's own: another commit may have the same tree.
    """
    release = RELEASES.c
    commit = CommitId(row[release.commit_id])
    ref_old = row[release.ref_old]
    return Release(
        app=AppName(row[APPS.c.name]),
        version=row[release.version],
        status=ReleaseStatus(row[release.status]),
        reason=Reason(row[release.reason]),
        description=row[release.description],
        slug=replace(slug_of(row), commit=commit),
        config=row[release.config],
        shared=row[release.shared_config] or {},
        disks=disks_of(row[release.disks]),
        by=KeyName(row[release.key_name]),
        created_at=row[release.created_at],
        error=row[release.error],
        ref=row[release.ref],
        ref_old=CommitId(ref_old) if ref_old is not None else None,
        live_at=row[release.live_at],
        cut_over=CutOver(row[release.cut_over] or CutOver.OVERLAP),
        restore=row[release.restore_id],
        snapshot=row[release.snapshot_id],
    )


def snapshot_of(row: RowMapping) -> Snapshot:
    """Make a snapshot of a row that joins it with its app."""
    snapshot = SNAPSHOTS.c
    return Snapshot(
        id=row[snapshot.id],
        app=AppName(row[APPS.c.name]),
        description=row[snapshot.description],
        by=KeyName(row[snapshot.key_name]),
        created_at=row[snapshot.created_at],
        version=row[snapshot.version],
        kind=row[snapshot.kind],
        sizes_bytes={DiskName(k): size for k, size in row[snapshot.sizes_bytes].items()},
        complete=row[snapshot.complete],
    )


def _settings_of(stored: Json) -> AppSettings:
    cut_over = stored.get("cut_over")
    disks = {**stored, "cut_over": CutOver(cut_over) if cut_over else None}
    return AppSettings(
        DeploySettings(**_known(DeploySettings, stored)),
        RunSettings(**_known(RunSettings, stored)),
        FrontSettings(**_known(FrontSettings, stored)),
        DiskSettings(**_known(DiskSettings, disks)),
    )


def _lock_of(row: Row[Any]) -> AppLock | None:
    if row.lock_by is None:
        return None
    return AppLock(KeyName(row.lock_by), row.lock_message, row.lock_at)


def _quantities(stored: Mapping[str, int]) -> Mapping[ProcessType, int]:
    return {ProcessType(kind): quantity for kind, quantity in stored.items()}


def _check(stored: Json) -> Healthcheck:
    return Healthcheck(**_known(Healthcheck, stored))


def _known(kind: type[_Stored], stored: Json) -> Json:
    """What ``kind`` has a field for: a later version may have stored more."""
    found = {field.name: stored[field.name] for field in fields(kind) if field.name in stored}
    return {name: tuple(v) if isinstance(v, list) else v for name, v in found.items()}
