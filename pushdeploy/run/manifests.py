"""A manifest is made of a release, its app's formation, place and disks, and the limits."""

from collections.abc import Callable

from pushdeploy.disks.directories import Directories
from pushdeploy.domain.app import App
from pushdeploy.domain.manifest import Limits, Manifest, manifest_of
from pushdeploy.domain.names import AppName
from pushdeploy.domain.pipeline import Place
from pushdeploy.domain.release import Release, refuse_unreadable


class Manifests:
    """A manifest is put together for a release of an app."""

    def __init__(
        self, disks: Directories, limits: Limits, place_of: Callable[[AppName], Place | None]
    ) -> None:
        """``place_of`` tells where an app stands in its pipeline now."""
        self._disks = disks
        self._limits = limits
        self._place_of = place_of

    def of(self, app: App, release: Release) -> Manifest:
        """The manifest of ``release``; the directories of its disks exist afterwards.

        ``PushdeployError`` where what it needs is damaged.
        """
        refuse_unreadable(release)
        mounts = self._disks.mounts(app, release.disks)
        return manifest_of(app, release, mounts, self._limits, self._place_of(app.name))
