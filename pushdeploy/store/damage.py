"""All that is kept as JSON is looked at, and what cannot be read is named with what mends it."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, select

from pushdeploy.domain.damage import Damage
from pushdeploy.store import ledger
from pushdeploy.store.certificates import names_of
from pushdeploy.store.pipelines import stages_of
from pushdeploy.store.reading import Reading, texts
from pushdeploy.store.rows import app_of, disks_of, release_of, snapshot_of
from pushdeploy.store.schema import APPS, CERTIFICATES, PIPELINES, SNAPSHOTS

_LIVE = "that of its live release holds"
_REBUILD = "ps:rebuild {owner}"
_NOTHING_STARTS = "what runs of it stays, and nothing is started"

_OF_APPS = {
    "settings": ("the defaults hold", "apps:set {owner} KEY=VALUE for each that was set"),
    "settings.": ("the default holds", "apps:set {owner} {key}="),
    "settings.cutover": ("exclusive holds with a disk", "disks:set {owner} cutover=exclusive"),
    "settings.snapshots": ("all disks are copied", "disks:set {owner} DISK snapshots=on"),
    "settings.size": ("the limit that it has stays", "disks:set {owner} DISK size=SIZE"),
    "front": ("visitors are shown a page", "maintenance:off {owner}, and each rule anew"),
    "front.maintenance": ("visitors are shown a page", "maintenance:off {owner}"),
    "front.access": ("nobody is let in", "access:remove {owner} 0.0.0.0/0 ::/0"),
    "front.passwords": ("nobody is let in", "auth:set {owner} USER"),
    "front.redirects": ("there are none", "redirects:add {owner} FROM TO"),
    "front.limits": ("there are none", "limits:set {owner} requests=10"),
    "front.pages": ("the server's page is shown", "error-pages:set {owner} 502 < page.html"),
    "formation": ("what app.json says holds, else web=1", "ps:scale {owner} web=1"),
    "config": (_LIVE, "config:set {owner} KEY=VALUE"),
    "disks": (_LIVE, _REBUILD),
}
_OF_PIPELINES = {"stages": ("those of its apps hold", "pipelines:update {owner} --stages A,B")}
_OF_RELEASES = {
    "process_types": (_NOTHING_STARTS, _REBUILD),
    "published": (_NOTHING_STARTS, _REBUILD),
    "config": ("that of the app holds", _REBUILD),
    "shared_config": (_NOTHING_STARTS, _REBUILD),
    "disks": ("those of the app hold", _REBUILD),
    "checks": ("web must answer, and the others stay up", _REBUILD),
    "formation": ("what was scaled holds, else web=1", _REBUILD),
    "runs_as": ("it runs as the app's own user", _REBUILD),
    "status": ("it is live all the same", "releases {owner}"),
    "reason": ("it counts as a deploy", "releases {owner}"),
    "cut_over": ("exclusive holds with a disk", "releases {owner}"),
}
_OF_CERTIFICATES = {"names": ("it is used for no host", "certs:report")}
_OF_SNAPSHOTS = {"sizes_bytes": ("it cannot be restored", "disks:snapshots {owner}")}

_Words = Mapping[str, tuple[str, str]]


def _damage(reading: Reading, words: _Words, owner: str, where: str) -> Iterator[Damage]:
    """``words`` tell of each column, or of a part of it, what holds instead and what mends it."""
    for lost in dict.fromkeys(reading.lost):
        column, _, key = lost.partition(".")
        part = f"{column}.{key.partition('.')[0]}" if key else column
        names = (part, f"{column}." if key else column, column)
        instead, mend = next(words[name] for name in names if name in words)
        yield Damage(f"{lost} of {where}", instead, mend.format(owner=owner, key=key))


def damage_of(connection: Connection) -> Iterator[Damage]:
    """Look at apps, their live releases and snapshots, at pipelines and certificates."""
    for app in connection.execute(select(APPS).order_by(APPS.c.name)):
        yield from _of_app(app)
    for pipeline in connection.execute(select(PIPELINES).order_by(PIPELINES.c.name)):
        yield from _of_pipeline(pipeline)
    for release in connection.execute(ledger.live()).mappings():
        yield from _of_release(release)
    for certificate in connection.execute(select(CERTIFICATES).order_by(CERTIFICATES.c.id)):
        yield from _of_certificate(certificate)
    joined = select(SNAPSHOTS, APPS.c.name).join(APPS, APPS.c.id == SNAPSHOTS.c.app_id)
    for snapshot in connection.execute(joined).mappings():
        yield from _of_snapshot(snapshot)


def _of_app(row: Row[Any]) -> Iterator[Damage]:
    reading = Reading()
    app_of(row, reading)
    reading.whole("config", lambda: texts(row.config), None)
    reading.whole("disks", lambda: disks_of(row.disks), None)
    return _damage(reading, _OF_APPS, row.name, row.name)


def _of_pipeline(row: Row[Any]) -> Iterator[Damage]:
    reading = Reading()
    stages_of(row.stages, reading)
    return _damage(reading, _OF_PIPELINES, row.name, f"the pipeline {row.name}")


def _of_certificate(row: Row[Any]) -> Iterator[Damage]:
    reading = Reading()
    names_of(row.names, reading)
    return _damage(reading, _OF_CERTIFICATES, "", f"the certificate {row.id}")


def _of_release(row: RowMapping) -> Iterator[Damage]:
    reading = Reading()
    release = release_of(row, reading)
    return _damage(reading, _OF_RELEASES, release.app, f"{release.label} of {release.app}")


def _of_snapshot(row: RowMapping) -> Iterator[Damage]:
    reading = Reading()
    snapshot = snapshot_of(row, reading)
    return _damage(reading, _OF_SNAPSHOTS, snapshot.app, f"{snapshot.label} of {snapshot.app}")
