"""``python -m pushdeploy.disks.copier`` does one job on disks and snapshots in its own process.

It reads the job from stdin and answers on stdout, both in JSON. A process, for a walk through many
files would keep the server's threads waiting; with little to import, for requests may be waiting
for it; and it ends with the server, so that no two ever work on the same disk.
"""

import errno
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pushdeploy.disks.snapshots
from pushdeploy.discover import discover
from pushdeploy.disks.child_process import Answer, end_with, say
from pushdeploy.disks.copy_job import CopyJob
from pushdeploy.disks.durable import flush_file_system, flush_names, make_durable
from pushdeploy.disks.index import Index
from pushdeploy.disks.tree_sizes import changed_bytes, size_bytes
from pushdeploy.domain.errors import BackendDown, NoRoom, PushdeployError, UserError
from pushdeploy.domain.sizes import about_bytes

if TYPE_CHECKING:  # it imports half of the domain
    from pushdeploy.domain.ports.snapshot_kind import SnapshotKind

_FULL = {errno.ENOSPC, errno.EDQUOT}
_HINT = "remove old snapshots, or make room on the server"


def main() -> None:
    """Answer with the result, or the reason why there is none, on the last line."""
    job = CopyJob(**json.load(sys.stdin))
    end_with(job.server)
    try:
        say({"result": _JOBS[job.do](job)})
    except PushdeployError as error:
        say({"error": [type(error).__name__, error.message, error.hint]})
    except OSError as error:
        what = f"{error.strerror}: {error.filename}" if error.filename else str(error.strerror)
        say({"error": [BackendDown.__name__, f"a disk or a snapshot cannot be used: {what}", ""]})


def _take(job: CopyJob) -> Answer:
    """All disks, or an error; what is in ``place`` then is the caller's to remove."""
    place, former = Path(job.place), _path(job.former)
    kinds = {disk: _kind(Path(live), place) for disk, live in job.disks.items()}
    needed, free = _needed(job, kinds), _free(place)
    _refuse_without_room(f"a snapshot of {', '.join(job.disks)}", needed, free)
    with _numbers("the snapshot", needed, free):
        flushed_ns = _flushed(job) if job.flush else 0
        sizes = {
            disk: kinds[disk][1].take(
                Path(live), place / disk, _tree(former, disk), _tell, flushed_ns
            )
            for disk, live in job.disks.items()
        }
        make_durable(place)
    return {"kind": _names_of(kinds), "sizes": sizes}


def _catch_up(job: CopyJob) -> Answer:
    """What ``former`` holds moves to ``place``; room for it was made when it was taken."""
    place, former = Path(job.place), Path(str(job.former))
    kinds = {disk: _kind(Path(live), place) for disk, live in job.disks.items()}
    sizes, durable = {}, True
    with _numbers("the snapshot", 0, _free(place)):
        for disk, live in job.disks.items():
            for name in (disk, f"{disk}.index"):
                (former / name).rename(place / name)
            sizes[disk], flushed = kinds[disk][1].catch_up(Path(live), place / disk, _tell)
            durable = durable and flushed
        if durable:
            flush_names(place)
        else:
            make_durable(place)
    return {"kind": _names_of(kinds), "sizes": sizes}


def _flushed(job: CopyJob) -> int:
    """Everything that was written to the disks before is on the device: the time of "before"."""
    began_ns = time.time_ns()
    for live in job.disks.values():
        flush_file_system(Path(live))
    return began_ns


def _names_of(kinds: "Mapping[str, tuple[str, SnapshotKind]]") -> str:
    return "+".join(sorted({name for name, _ in kinds.values()}))


def _tell(text: str) -> None:
    say({"line": text})


def _restore(job: CopyJob) -> Answer:
    for disk, live in job.disks.items():
        tree, target = Path(job.place, disk), Path(live)
        needed, free = Index.read(tree).size_bytes, _free(target)
        with _numbers(f"the disk {disk}", needed, free):
            _, kind = _kind(tree, target)
            kind.restore(tree, target, _tell)
            make_durable(target)
    return {}


def _clone(job: CopyJob) -> Answer:
    place, target = Path(job.place), Path(job.target)
    _, kind = _kind(place, target)
    needed, free = kind.needed_bytes(place, None), _free(target)
    _refuse_without_room(f"a copy of {place.name}", needed, free)
    with _numbers("the copy", needed, free):
        kind.clone(place, target, job.uid)
    return {}


def _weigh(job: CopyJob) -> Answer:
    place = Path(job.place)
    index = Index({}, size_bytes(place))
    index.write(place)
    return {"size": index.size_bytes}


def _room(job: CopyJob) -> Answer:
    place, former = Path(job.place), _path(job.former)
    found = [
        _kind(Path(live), place)[1].estimate(Path(live), _tree(former, disk))
        for disk, live in job.disks.items()
    ]
    needed = sum(each.needed_bytes for each in found)
    return {"needed": needed, "free": _free(place), "files": sum(each.names for each in found)}


def _changed(job: CopyJob) -> Answer:
    return {
        "size": sum(
            changed_bytes(Path(live), Index.read(Path(job.place, disk)).files)
            for disk, live in job.disks.items()
        )
    }


_JOBS: Mapping[str, Callable[[CopyJob], Answer]] = {
    "take": _take,
    "catch_up": _catch_up,
    "restore": _restore,
    "clone": _clone,
    "weigh": _weigh,
    "room": _room,
    "changed": _changed,
}


def _kind(source: Path, target: Path) -> "tuple[str, SnapshotKind]":
    """The first that can, by order, with its name."""
    found = cast("dict[str, SnapshotKind]", discover(pushdeploy.disks.snapshots, "SNAPSHOT"))
    for name, kind in sorted(found.items(), key=lambda item: item[1].order):
        if kind.can(source, target):
            return name, kind
    raise UserError(f"no kind of snapshot can hold {source}", "pushdeploy doctor")


def _needed(job: CopyJob, kinds: "Mapping[str, tuple[str, SnapshotKind]]") -> int:
    former = _path(job.former)
    return sum(
        kinds[disk][1].needed_bytes(Path(live), _tree(former, disk))
        for disk, live in job.disks.items()
    )


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _tree(snapshot: Path | None, disk: str) -> Path | None:
    """The disk's in a former snapshot, which may not have had it."""
    return tree if snapshot and (tree := snapshot / disk).is_dir() else None


def _free(place: Path) -> int:
    """What is left for those who are not root; the rest keeps the machine running."""
    status = os.statvfs(place)
    return status.f_bavail * status.f_frsize


def _refuse_without_room(what: str, needed: int, free: int) -> None:
    """Before a file system that other apps live on is full."""
    if needed > free:
        raise NoRoom(f"{what} needs {about_bytes(needed)}, and {about_bytes(free)} are free", _HINT)


@contextmanager
def _numbers(what: str, needed: int, free: int) -> Iterator[None]:
    """Tells them when the file system has run full in spite of the estimate."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise NoRoom(
            f"{what} ran out of room: {about_bytes(needed)} were to be written,"
            f" and {about_bytes(free)} were free",
            _HINT,
        ) from error


if __name__ == "__main__":
    main()
