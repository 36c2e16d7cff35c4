"""The contract with apps is the environment that is computed for each release."""

from collections.abc import Mapping

from pushdeploy.domain.pipeline import Place
from pushdeploy.domain.release import Release

_MEGABYTE = 1024 * 1024
_MEMORY_PER_WORKER = 256 * _MEGABYTE

RESERVED = frozenset(
    {
        "APP",
        "DISK_PATH",
        "DYNO",
        "MEMORY_AVAILABLE",
        "PIPELINE",
        "RELEASE_CREATED_AT",
        "RELEASE_PHASE",
        "RELEASE_VERSION",
        "SLUG_COMMIT",
        "SLUG_DIGEST",
        "STAGE",
    }
)
"""Names that the contract sets itself: config vars may not have them."""


_HEROKU_NAMES = {
    "HEROKU_APP_NAME": "APP",
    "HEROKU_BUILD_COMMIT": "SLUG_COMMIT",
    "HEROKU_RELEASE_CREATED_AT": "RELEASE_CREATED_AT",
    "HEROKU_RELEASE_VERSION": "RELEASE_VERSION",
    "HEROKU_SLUG_COMMIT": "SLUG_COMMIT",
}
"""Heroku's dyno metadata, and what it is called here."""


def environment(
    release: Release,
    memory_bytes: int,
    cpus: float,
    place: Place | None = None,
    *,
    heroku_names: bool = False,
) -> Mapping[str, str]:
    """Return the environment common to every task of a release.

    Config vars win over the tunables, over Heroku's names, and over Dokku's GIT_REV. ``place`` is
    the app's in its pipeline, None where it is in none.
    """
    computed = {
        "APP": str(release.app),
        "RELEASE_VERSION": release.label,
        "RELEASE_CREATED_AT": release.created_at.isoformat(),
        "SLUG_COMMIT": str(release.slug.commit),
        "SLUG_DIGEST": str(release.slug.image),
    }
    if place is not None:
        computed |= {"PIPELINE": str(place.pipeline), "STAGE": str(place.stage)}
    if len(release.disks) == 1:
        computed["DISK_PATH"] = release.disks[0].mount_path
    for attachment in release.disks:
        computed[f"DISK_PATH_{attachment.disk.upper().replace('-', '_')}"] = attachment.mount_path
    twins = {theirs: computed[ours] for theirs, ours in _HEROKU_NAMES.items() if heroku_names}
    tunable = {"GIT_REV": str(release.slug.commit)}
    if memory_bytes:
        tunable["MEMORY_AVAILABLE"] = str(memory_bytes // _MEGABYTE)
        tunable["WEB_CONCURRENCY"] = str(_workers(memory_bytes, cpus))
    return {**tunable, **twins, **release.whole_config, **computed}


def _workers(memory_bytes: int, cpus: float) -> int:
    by_memory = max(1, memory_bytes // _MEMORY_PER_WORKER)
    return min(by_memory, int(2 * cpus) + 1) if cpus else by_memory
