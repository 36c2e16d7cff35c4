"""Release → Manifest: a release with the app's formation, disks and the machine's limits."""

from pushdeploy.disks.directories import Directories
from pushdeploy.domain.app import App
from pushdeploy.domain.manifest import Limits, Manifest, manifest_of
from pushdeploy.domain.release import Release


class Manifests:
    def __init__(self, disks: Directories, limits: Limits) -> None:
        self._disks = disks
        self._limits = limits

    def of(self, app: App, release: Release) -> Manifest:
        """The manifest of ``release``; the directories of its disks exist afterwards."""
        return manifest_of(app, release, self._disks.mounts(app, release.disks), self._limits)
