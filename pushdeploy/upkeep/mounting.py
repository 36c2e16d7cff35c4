"""Mounts disks with sizes at the start, before anything of their apps is served."""

from pushdeploy.disks.directories import Directories
from pushdeploy.domain.ports.scheduler import Scheduler

_GRACE_SECONDS = 5
"""For tasks that have never seen their disks, and could write nothing there."""


def mount_disks(disks: Directories, scheduler: Scheduler) -> None:
    """Mount all disks with sizes, and stop what the engine started without them at a boot.

    The reconciler starts it anew.
    """
    apps = {app for app, _ in disks.quota.ensure_all()}
    if apps:
        blind = [task for app in sorted(apps) for task in scheduler.tasks(app)]
        scheduler.stop(blind, _GRACE_SECONDS)
