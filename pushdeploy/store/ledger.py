"""The statements of the ledger are SQL.

Each reads through an index, however long the ledger grows.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Delete,
    ScalarSelect,
    Select,
    Update,
    and_,
    delete,
    func,
    insert,
    select,
    text,
    tuple_,
    update,
)

from pushdeploy.domain.errors import PushdeployError, UnknownApp, UserError
from pushdeploy.domain.names import AppName, ImageDigest
from pushdeploy.domain.release import Candidate, ReleaseStatus
from pushdeploy.store.rows import disks_json
from pushdeploy.store.schema import APPS, RELEASE_OUTPUT, RELEASE_STEPS, RELEASES, SLUGS

_UNFINISHED = [str(status) for status in ReleaseStatus if status.unfinished]

# ------------------------------------------------------------- reading


def one(app: AppName, version: int) -> Select[Any]:
    return _releases().where(_is(app, version))


def newest(app: AppName, limit: int) -> Select[Any]:
    return (
        _releases()
        .where(RELEASES.c.app_id == _id(app))
        .order_by(RELEASES.c.version.desc())
        .limit(limit)
    )


def current(app: AppName) -> Select[Any]:
    at = select(APPS.c.current_version).where(APPS.c.name == str(app)).scalar_subquery()
    return _releases().where(RELEASES.c.app_id == _id(app), RELEASES.c.version == at)


def live() -> Select[Any]:
    """Select by what apps point at, so that a damaged status loses nobody's live release."""
    return _releases().where(RELEASES.c.version == APPS.c.current_version)


def unfinished() -> Select[Any]:
    wanted = RELEASES.c.status.in_(_UNFINISHED)
    return _releases().where(wanted).order_by(APPS.c.name, RELEASES.c.version)


def refs_pending() -> Select[Any]:
    waiting = and_(RELEASES.c.ref.is_not(None), RELEASES.c.ref_moved.is_(False))
    live = RELEASES.c.status == str(ReleaseStatus.LIVE)
    return _releases().where(live, waiting).order_by(APPS.c.name)


def moved_refs(app: AppName) -> Select[Any]:
    """Select the oldest first, so that the last one of each ref counts."""
    moved = and_(RELEASES.c.ref.is_not(None), RELEASES.c.ref_moved.is_(True))
    return (
        select(RELEASES.c.ref, RELEASES.c.commit_id)
        .where(RELEASES.c.app_id == _id(app), moved)
        .order_by(RELEASES.c.version)
    )


def steps(app: AppName, version: int) -> Select[Any]:
    return (
        select(RELEASE_STEPS.c.name, RELEASE_STEPS.c.seconds)
        .where(RELEASE_STEPS.c.app_id == _id(app), RELEASE_STEPS.c.version == version)
        .order_by(RELEASE_STEPS.c.position)
    )


def entries(images: Collection[ImageDigest] | None) -> Select[Any]:
    """Select the releases of every app, or of apps that ever had one of these ``images``."""
    found = (
        select(
            APPS.c.name,
            APPS.c.current_version,
            RELEASES.c.version,
            RELEASES.c.status,
            SLUGS.c.image,
        )
        .join(APPS, APPS.c.id == RELEASES.c.app_id)
        .join(SLUGS, SLUGS.c.id == RELEASES.c.slug_id)
    )
    if images is None:
        return found
    had = (
        select(RELEASES.c.app_id)
        .join(SLUGS, SLUGS.c.id == RELEASES.c.slug_id)
        .where(SLUGS.c.image.in_(images))
    )
    return found.where(RELEASES.c.app_id.in_(had))


def app_id_of(connection: Connection, app: AppName, version: int) -> int:
    found = connection.execute(select(RELEASES.c.app_id).where(_is(app, version))).scalar()
    if found is None:
        raise no_release(app, version)
    return int(found)


def no_release(app: AppName, version: int) -> UserError:
    return UserError(f"there is no release v{version} of {app}", f"releases {app}")


# ------------------------------------------------------------- writing


def next_version(connection: Connection, app: AppName) -> tuple[int, int]:
    """Return the app's id and the number of its next release; the counter never goes back."""
    counted = (
        update(APPS)
        .where(APPS.c.name == str(app))
        .values(last_version=APPS.c.last_version + 1)
        .returning(APPS.c.id, APPS.c.last_version)
    )
    row = connection.execute(counted).first()
    if row is None:
        raise UnknownApp(app)
    return row.id, row.last_version


def values_of(candidate: Candidate, shared: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the columns of a new release, but for its app, number and slug.

    ``shared`` is the config of all apps now, for a candidate that brings none along.
    """
    return {
        "status": str(ReleaseStatus.PENDING),
        "reason": str(candidate.reason),
        "description": candidate.description,
        "commit_id": str(candidate.slug.commit),
        "config": dict(candidate.config),
        "shared_config": dict(shared if candidate.shared is None else candidate.shared),
        "disks": disks_json(candidate.disks),
        "key_name": str(candidate.by),
        "created_at": datetime.now(UTC),
        "error": "",
        "ref": candidate.ref,
        "ref_old": None if candidate.ref_old is None else str(candidate.ref_old),
        "ref_moved": False,
        "cut_over": str(candidate.cut_over),
        "restore_id": candidate.restore,
        "scheduler": candidate.scheduler,
    }


def move(connection: Connection, app: AppName, version: int, values: Mapping[str, Any]) -> None:
    """Change an unfinished release; a finished one stays as it is, and says so."""
    unfinished_one = and_(_is(app, version), RELEASES.c.status.in_(_UNFINISHED))
    if connection.execute(update(RELEASES).where(unfinished_one).values(values)).rowcount:
        return
    status = connection.execute(select(RELEASES.c.status).where(_is(app, version))).scalar()
    if status is None:
        raise no_release(app, version)
    raise PushdeployError(f"v{version} of {app} is {status} already", f"releases {app}")


def retire_others(app: AppName, version: int) -> Update:
    """Retire the former live release: the index that allows no second one finds it."""
    others = and_(RELEASES.c.app_id == _id(app), RELEASES.c.version != version)
    return (
        update(RELEASES)
        .where(others, text("status = 'live'"))  # a bound parameter would not match the index
        .values(status=str(ReleaseStatus.RETIRED))
    )


def point_at(app: AppName, version: int) -> Update:
    """Make ``version`` the current one, and its config and disks the wanted ones.

    Its disks too: nothing is put back any more.
    """
    return (
        update(APPS)
        .where(APPS.c.name == str(app))
        .values(
            current_version=version,
            put_back=None,
            config=_snapshot(RELEASES.c.config, version),
            disks=_snapshot(RELEASES.c.disks, version),
        )
    )


def forget_output(images: Collection[ImageDigest]) -> Delete:
    place = tuple_(RELEASE_OUTPUT.c.app_id, RELEASE_OUTPUT.c.version)
    had = (
        select(RELEASES.c.app_id, RELEASES.c.version)
        .join(SLUGS, SLUGS.c.id == RELEASES.c.slug_id)
        .where(SLUGS.c.image.in_(images))
    )
    return delete(RELEASE_OUTPUT).where(place.in_(had))


def mark_ref_moved(app: AppName, version: int) -> Update:
    return update(RELEASES).where(_is(app, version)).values(ref_moved=True)


def mark(app: AppName, version: int, text_line: str) -> Update:
    went_live = RELEASES.c.live_at.is_not(None)
    return update(RELEASES).where(_is(app, version), went_live).values(error=text_line)


def append_step(
    connection: Connection, app: AppName, version: int, name: str, seconds: float
) -> None:
    app_id = app_id_of(connection, app, version)
    last = select(func.coalesce(func.max(RELEASE_STEPS.c.position), 0)).where(
        RELEASE_STEPS.c.app_id == app_id, RELEASE_STEPS.c.version == version
    )
    position = connection.execute(last).scalar_one() + 1
    place = {"app_id": app_id, "version": version, "position": position}
    connection.execute(insert(RELEASE_STEPS).values(**place, name=name, seconds=seconds))


# ------------------------------------------------------------- parts of statements


def _releases() -> Select[Any]:
    return (
        select(RELEASES, APPS.c.name, APPS.c.current_version, APPS.c.config, APPS.c.disks, SLUGS)
        .join(APPS, APPS.c.id == RELEASES.c.app_id)
        .join(SLUGS, SLUGS.c.id == RELEASES.c.slug_id)
    )


def _id(app: AppName) -> ScalarSelect[Any]:
    return select(APPS.c.id).where(APPS.c.name == str(app)).scalar_subquery()


def _is(app: AppName, version: int) -> ColumnElement[bool]:
    return and_(RELEASES.c.app_id == _id(app), RELEASES.c.version == version)


def _snapshot(column: Column[Any], version: int) -> ScalarSelect[Any]:
    return (
        select(column)
        .where(RELEASES.c.app_id == APPS.c.id, RELEASES.c.version == version)
        .scalar_subquery()
    )
