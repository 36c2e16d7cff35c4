"""Commands on a store with 1,000 apps and 50,000 releases, against one with almost nothing."""

import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update

from benchmarks.measure import Figure, interleaved, timed
from benchmarks.processes import cpu_seconds
from pushdeploy.store.database import Database
from pushdeploy.store.schema import APPS, RELEASE_STEPS, RELEASES, SLUGS
from tests.stories.harness import APPS as SOURCES
from tests.stories.harness import Repository, Server, wait_until

APP_COUNT, RELEASES_OF_EACH = 1_000, 50
QUICK_APP_COUNT = 100
_PAST = 50
"""Releases of the measured app, in both stores: what is printed is the same."""

_IDLE_SECONDS = 0.05
"""CPU within a second of a server that has nothing to do."""

_STAGING, _PRODUCTION = "hello-staging", "hello"
_PROMOTE = f"pipelines:promote {_STAGING}"


def measure(server: Server, runs: int, *, quick: bool = False) -> list[Figure]:
    """Each command on both, in turn; a tenth of the apps when ``quick``."""
    full, young = (Server(Path(tempfile.mkdtemp(prefix="pushdeploy-"))) for _ in range(2))
    root = Path(tempfile.mkdtemp(prefix="pushdeploy-bench-"))
    try:
        for each in (full, young):
            each.create()
            each.start()
        for each, name in ((server, "empty"), (full, "full"), (young, "young")):
            two_stages(each, root / name)
        count = QUICK_APP_COUNT if quick else APP_COUNT
        for each, past in ((full, RELEASES_OF_EACH), (young, 1)):
            write(each, partial(add_apps, count=count, past=past))
        figures = [figure for row in _ROWS for figure in _both(*row, server, full, runs)]
        figures += _lists(young, full, runs)
        full.stop()
        full.start()
        wait_until_idle(full)
        _, routed = _both("promote", _PROMOTE, 1, server, full, runs)
        name = "promote: full, and all are known to nginx"
        return [*figures, replace(routed, name=name, aim="")]
    finally:
        full.close()
        young.close()
        shutil.rmtree(root, ignore_errors=True)


def _both(
    name: str, command: str, times: int, server: Server, full: Server, runs: int
) -> tuple[Figure, Figure]:
    """A run is the mean of ``times`` calls: some take no more than a few milliseconds."""

    def on(each: Server) -> Callable[[], float]:
        def repeat() -> None:
            for _ in range(times):
                each.ssh(command, check=True)

        return lambda: timed(repeat) / times

    found = interleaved({f"{name}, empty": on(server), f"{name}, full": on(full)}, runs)
    empty = f"{name}: almost empty"
    return (
        Figure(empty, runs=found[f"{name}, empty"]),
        Figure(f"{name}: full", runs=found[f"{name}, full"], reference=empty, aim="<= 1.2"),
    )


_ROWS = (
    ("releases", f"releases {_PRODUCTION}", 20),
    ("apps:info", f"apps:info {_PRODUCTION}", 20),
    ("promote", _PROMOTE, 1),
)


def _lists(young: Server, full: Server, runs: int) -> list[Figure]:
    """As many apps on both: what differs is how much has been released."""
    first = "apps:list: one release an app"
    before, after = _both("apps:list", "apps:list --format json", 5, young, full, runs)
    return [replace(before, name=first), replace(after, reference=first)]


def wait_until_idle(server: Server) -> None:
    """After a start it looks after every app once, in the background."""
    used = [0.0]

    def idle() -> bool:
        time.sleep(1)
        used.append(cpu_seconds(server.pid))
        return used[-1] - used[-2] < _IDLE_SECONDS

    wait_until(idle, 300, lambda: f"the server is still busy after {used[-1]:.0f} s of CPU")


# ------------------------------------------------------------- what they work on


def two_stages(server: Server, directory: Path) -> None:
    """Two apps with a pipeline, and a past of the second one."""
    directory.mkdir(parents=True)
    repository = Repository.create(server, SOURCES / "hello", directory / "hello", _STAGING)
    repository.push(check=True)
    server.ssh(f"apps:create {_PRODUCTION}", check=True)
    server.ssh("pipelines:create hello", check=True)
    server.ssh(f"pipelines:add hello {_STAGING} --stage staging", check=True)
    server.ssh(f"pipelines:add hello {_PRODUCTION} --stage production", check=True)
    write(server, _give_a_past)
    server.ssh(f"pipelines:promote {_STAGING}", check=True)


def write(server: Server, change: Callable[[Any], None]) -> None:
    database = Database(f"sqlite:///{server.home / 'pushdeploy.sqlite3'}")
    try:
        with database.changing() as connection:
            change(connection)
    finally:
        database.close()


def _give_a_past(connection: Any) -> None:
    """Of the slug that staging runs: its image is on this machine."""
    slug = connection.execute(select(SLUGS.c.id, SLUGS.c.commit_id)).first()
    app = connection.execute(select(APPS.c.id).where(APPS.c.name == _PRODUCTION)).scalar_one()
    rows = [_release(app, version, slug.id, slug.commit_id) for version in range(1, _PAST + 1)]
    connection.execute(insert(RELEASES), rows)
    past = {"last_version": _PAST}
    connection.execute(update(APPS).where(APPS.c.id == app).values(past))


def add_apps(connection: Any, count: int, past: int) -> None:
    """All of them stopped, for nothing of them could run; each with ``past`` releases."""
    slug = connection.execute(select(SLUGS)).mappings().first()
    model = connection.execute(select(APPS)).mappings().first()
    for number in range(count):
        own = {"name": f"app-{number}", "stopped": True, "lock_by": None}
        app = {**model, **own, "current_version": past}
        app["last_version"] = past
        del app["id"]
        app_id = connection.execute(insert(APPS).values(app)).inserted_primary_key[0]
        its_slug = {**slug, "key": f"key-{number}", "image": f"sha256:{number:064x}"}
        del its_slug["id"]
        slug_id = connection.execute(insert(SLUGS).values(its_slug)).inserted_primary_key[0]
        versions = range(1, past + 1)
        rows = [_release(app_id, version, slug_id, slug["commit_id"]) for version in versions]
        rows[-1]["status"] = "live"
        connection.execute(insert(RELEASES), rows)
        connection.execute(insert(RELEASE_STEPS), [_step(row) for row in rows])


def _release(app_id: int, version: int, slug_id: int, commit_id: str) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {
        "app_id": app_id,
        "version": version,
        "status": "retired",
        "reason": "deploy",
        "description": f"Deploy {commit_id[:7]}",
        "slug_id": slug_id,
        "commit_id": commit_id,
        "config": {"SECRET_KEY": "x" * 50, "LOG_LEVEL": "info"},
        "disks": [],
        "key_name": "ada",
        "created_at": now,
        "live_at": now,
        "error": "",
        "ref": None,
        "ref_old": None,
        "ref_moved": False,
    }


def _step(release: dict[str, Any]) -> dict[str, Any]:
    place = {"app_id": release["app_id"], "version": release["version"], "position": 1}
    return {**place, "name": "Starting web.1", "seconds": 0.3}
