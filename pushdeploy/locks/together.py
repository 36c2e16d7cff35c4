"""Several who go on when all of them are ready to, or not at all."""

import threading

from pushdeploy.domain.errors import PushdeployError


class Together:
    """Several ships that switch when all of them are ready to, or not at all. Thread-safe."""

    def __init__(self, count: int) -> None:
        self._missing = count
        self._why = ""
        self._changed = threading.Condition()

    def arrive(self) -> None:
        """Block until all have arrived. ``PushdeployError`` when one of them gave up."""
        with self._changed:
            self._missing -= 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._missing == 0 or self._why)
            if self._missing:
                raise PushdeployError(
                    f"not switched: {self._why}", "all or nothing: mend the one that failed"
                )

    def give_up(self, why: str) -> None:
        """Let the others give up: a deploy will never arrive, or has failed after."""
        with self._changed:
            self._why = self._why or why
            self._changed.notify_all()
