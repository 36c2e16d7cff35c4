"""``rotate`` keeps nginx's own logs from filling the file system."""

from collections.abc import Callable
from pathlib import Path

from pushdeploy.route.deadline import until
from pushdeploy.route.routers.nginx.prefix import Prefix

LARGEST_BYTES = 64 * 1024 * 1024
LARGEST_OF_AN_APP_BYTES = 8 * 1024 * 1024
_REOPEN_SECONDS = 10


def rotate(
    prefix: Prefix, reopen: Callable[[], None], largest_bytes: int, largest_of_an_app_bytes: int
) -> None:
    """Set larger ones aside as ``access.log.1``, in place of the former: no line is lost.

    Returns when nginx writes to new ones. The caller sees to it that nobody reloads meanwhile.
    """
    most = dict.fromkeys((prefix.access_log, prefix.error_log), largest_bytes)
    most.update(dict.fromkeys(prefix.app_logs.glob("*.log"), largest_of_an_app_bytes))
    large = [log for log, bytes_ in most.items() if log.exists() and log.stat().st_size > bytes_]
    for log in large:
        log.replace(former_of(log))
    if large:
        reopen()
        until(lambda: all(log.exists() for log in large), _REOPEN_SECONDS)


def former_of(log: Path) -> Path:
    """Return the file that a log becomes when it has grown large."""
    return log.with_name(f"{log.name}.1")
