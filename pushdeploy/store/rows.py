"""Rows become the domain's nouns and the other way round, JSON included.

What is damaged is noted in the ``Reading``, and something that does no harm holds instead.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any, Literal

from sqlalchemy import Row, RowMapping

from pushdeploy.domain.app import App, AppLock
from pushdeploy.domain.disk import Attachment, CutOver, cut_over_of
from pushdeploy.domain.formation import MOST_TASKS
from pushdeploy.domain.names import (
    AppName,
    CommitId,
    DiskName,
    ImageDigest,
    KeyName,
    ProcessType,
    TreeId,
)
from pushdeploy.domain.published import PublishedFolder
from pushdeploy.domain.release import Reason, Release, ReleaseStatus
from pushdeploy.domain.slug import Healthcheck, Slug
from pushdeploy.domain.snapshot import Snapshot
from pushdeploy.store.front_json import front_of
from pushdeploy.store.reading import Reading, count, text, texts
from pushdeploy.store.schema import APPS, RELEASES, SLUGS, SNAPSHOTS
from pushdeploy.store.settings_column import settings_of

Json = dict[str, Any]

_RUN = frozenset({"process_types", "published"})
"""Without these of its slug a release cannot run."""


def app_of(row: Row[Any], reading: Reading | None = None) -> App:
    reading = reading or Reading()
    return App(
        id=row.id,
        name=AppName(row.name),
        created_at=row.created_at,
        settings=settings_of(row.settings, reading),
        formation=_quantities(row.formation, reading),
        current_version=row.current_version,
        stopped=row.stopped,
        lock=_lock_of(row),
        put_back=row.put_back,
        front=front_of(row.front, reading),
    )


def lock_values(lock: AppLock | None) -> Json:
    """Return the columns of a lock, all empty without one."""
    return {
        "lock_by": str(lock.by) if lock else None,
        "lock_message": lock.message if lock else None,
        "lock_at": lock.at if lock else None,
    }


def formation_json(formation: Mapping[ProcessType, int]) -> Json:
    return {str(kind): int(quantity) for kind, quantity in formation.items()}


def disks_json(attachments: Sequence[Attachment]) -> list[Json]:
    return [
        {"disk": str(attachment.disk), "mount_path": attachment.mount_path}
        for attachment in attachments
    ]


def disks_of(stored: Sequence[Mapping[str, str]]) -> Sequence[Attachment]:
    """Raise one of ``ODD`` for what is no list of disks, for a part of one is worth nothing."""
    if not isinstance(stored, list):
        raise TypeError("it is no list")
    return tuple(
        Attachment(DiskName.parse(each["disk"]), _absolute(each["mount_path"])) for each in stored
    )


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
        "published": asdict(slug.published) if slug.published else None,
    }


def slug_of(row: RowMapping, reading: Reading | None = None) -> Slug:
    """Make a slug of a row that has all columns of SLUGS, among others."""
    slug, reading = SLUGS.c, reading or Reading()
    return Slug(
        image=ImageDigest(row[slug.image]),
        key=row[slug.key],
        commit=CommitId(row[slug.commit_id]),
        tree=TreeId(row[slug.tree]),
        builder=row[slug.builder],
        stack=row[slug.stack],
        process_types=reading.whole(
            "process_types",
            lambda: {ProcessType.parse(k): v for k, v in texts(row[slug.process_types]).items()},
            {},
        ),
        release_command=row[slug.release_command],
        runs_as=reading.whole("runs_as", lambda: _runs_as(row[slug.runs_as]), "app"),
        size_bytes=row[slug.size_bytes],
        created_at=row[slug.created_at],
        port=row[slug.port],
        checks=reading.entries("checks", row[slug.checks], ProcessType.parse, _checks),
        formation=_quantities(row[slug.formation], reading),
        published=reading.whole("published", lambda: _published(row[slug.published]), None),
    )


def release_of(row: RowMapping, reading: Reading | None = None) -> Release:
    """Make a release of a row that joins it with its app and its slug, which others may share.

    The commit is the release's own: another commit may have the same tree. Where config or disks of
    the current release are damaged, what is wanted of its app holds: it was the same at first.
    """
    release, app, reading = RELEASES.c, APPS.c, reading or Reading()
    commit = CommitId(row[release.commit_id])
    ref_old = row[release.ref_old]
    is_current = row[release.version] == row[app.current_version]
    slug = replace(slug_of(row, reading), commit=commit)
    config = reading.whole("config", lambda: texts(row[release.config]), None)
    disks = reading.whole("disks", lambda: disks_of(row[release.disks]), None)
    shared = reading.whole("shared_config", lambda: texts(row[release.shared_config] or {}), None)
    if is_current and config is None:
        config = Reading().whole("", lambda: texts(row[app.config]), None)
    if is_current and disks is None:
        disks = Reading().whole("", lambda: disks_of(row[app.disks]), None)
    needed = {"config": config, "shared_config": shared, "disks": disks}
    missing = [name for name, value in needed.items() if value is None]
    return Release(
        app=AppName(row[app.name]),
        version=row[release.version],
        status=status_of(row[release.status], is_current=is_current, reading=reading),
        reason=reading.one_of("reason", Reason, row[release.reason], Reason.DEPLOY),
        description=row[release.description],
        slug=slug,
        config=config or {},
        shared=shared or {},
        disks=disks or (),
        by=KeyName(row[release.key_name]),
        created_at=row[release.created_at],
        error=row[release.error],
        ref=row[release.ref],
        ref_old=CommitId(ref_old) if ref_old is not None else None,
        live_at=row[release.live_at],
        cut_over=reading.one_of(
            "cut_over",
            CutOver,
            CutOver.OVERLAP if row[release.cut_over] is None else row[release.cut_over],
            cut_over_of(disks or (), None),
        ),
        restore=row[release.restore_id],
        snapshot=row[release.snapshot_id],
        scheduler=row[release.scheduler],
        unreadable=(*missing, *(each for each in reading.lost if each in _RUN)),
    )


def status_of(stored: str, *, is_current: bool, reading: Reading) -> ReleaseStatus:
    """Return the status of a release; an unknown one of the current release is ``live``."""
    instead = ReleaseStatus.LIVE if is_current else ReleaseStatus.FAILED
    return reading.one_of("status", ReleaseStatus, stored, instead)


def snapshot_of(row: RowMapping, reading: Reading | None = None) -> Snapshot:
    """Make a snapshot of a row that joins it with its app."""
    snapshot, reading = SNAPSHOTS.c, reading or Reading()
    return Snapshot(
        id=row[snapshot.id],
        app=AppName(row[APPS.c.name]),
        description=row[snapshot.description],
        by=KeyName(row[snapshot.key_name]),
        created_at=row[snapshot.created_at],
        version=row[snapshot.version],
        kind=row[snapshot.kind],
        sizes_bytes=reading.whole("sizes_bytes", lambda: _sizes(row[snapshot.sizes_bytes]), None),
        complete=row[snapshot.complete],
    )


def _lock_of(row: Row[Any]) -> AppLock | None:
    if row.lock_by is None:
        return None
    return AppLock(KeyName(row.lock_by), row.lock_message, row.lock_at)


def _quantities(stored: object, reading: Reading) -> Mapping[ProcessType, int]:
    return reading.entries("formation", stored, ProcessType.parse, _quantity)


def _quantity(stored: object) -> int:
    if count(stored) > MOST_TASKS:
        raise ValueError(f"{stored!r} are too many")
    return count(stored)


def _absolute(stored: object) -> str:
    if not text(stored).startswith("/"):
        raise ValueError(f"{stored!r} is no mount path")
    return text(stored)


def _sizes(stored: Mapping[str, object]) -> Mapping[DiskName, int]:
    return {DiskName.parse(disk): count(size) for disk, size in stored.items()}


def _runs_as(stored: object) -> Literal["app", "image"]:
    if stored == "app":
        return "app"
    if stored == "image":
        return "image"
    raise ValueError(f"{stored!r} is nobody")


def _checks(stored: Sequence[Json]) -> Sequence[Healthcheck]:
    if not isinstance(stored, list):
        raise TypeError("it is no list")
    return tuple(map(_check, stored))


def _published(stored: Json | None) -> PublishedFolder | None:
    if stored is None:
        return None
    return PublishedFolder(
        _absolute(stored["path"]), text(stored.get("why", "")), text(stored.get("described", ""))
    )


def _check(stored: Json) -> Healthcheck:
    """A later version may have stored more than there are fields for."""
    known = [each.name for each in fields(Healthcheck)]
    found: Json = {name: stored[name] for name in known if name in stored}
    if isinstance(words := found.get("command"), list):
        found["command"] = tuple(map(text, words))
    check = Healthcheck(**found)
    _refuse_odd(check)
    return check


def _refuse_odd(check: Healthcheck) -> None:
    """Raise ``TypeError`` where a field is of another type than it may be."""
    number, maybe_text = (int, float), (str, type(None))
    for value, kinds in (
        (check.name, str),
        (check.path, maybe_text),
        (check.content, maybe_text),
        (check.command, tuple),
        (check.uptime_seconds, (*number, type(None))),
        (check.initial_delay_seconds, number),
        (check.attempts, int),
        (check.wait_seconds, number),
        (check.timeout_seconds, number),
    ):
        if not isinstance(value, kinds):
            raise TypeError(f"{value!r} does not belong into a health check")
