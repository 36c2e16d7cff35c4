"""A change: a release on its way to be live, and until when it can be stopped."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pushdeploy.domain.app import App
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.manifest import Manifest
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.release import Candidate, Release
from pushdeploy.domain.task import Task


@dataclass(frozen=True, slots=True)
class Change:
    """``app`` is as it was before. ``before_switch`` is called when all is ready, and may raise.

    Whoever asked for it can stop it by ``cancellation`` until a migration, or the switch, begins.
    """

    app: App
    candidate: Candidate
    release: Release
    manifest: Manifest
    output: Output
    before_switch: Callable[[], None]
    cancellation: Cancellation

    @property
    def migrates(self) -> bool:
        """Tell whether a release command runs, which is never cut in half."""
        return self.candidate.release_phase and self.release.slug.release_command is not None

    def old(self, tasks: Sequence[Task]) -> Sequence[Task]:
        """Return those of ``tasks`` that are not of the new release."""
        return [task for task in tasks if task.version != self.release.version]

    def begin_migration(self) -> None:
        """Raise ``Cancelled`` where somebody has stopped it before.

        Nothing can once a command runs.
        """
        if self.migrates:
            self._pass_point_of_no_return()

    def begin_switch(self) -> None:
        """Wait for others that switch together; then ``Cancelled`` as in ``begin_migration``."""
        self.before_switch()
        if not self.migrates:
            self._pass_point_of_no_return()

    def _pass_point_of_no_return(self) -> None:
        self.cancellation.commit()
        self.output.detail("from here on Ctrl-C only stops watching: it goes on to its end")
