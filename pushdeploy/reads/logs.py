"""Tells what the processes of an app have printed, and go on to print."""

from collections.abc import Iterator
from dataclasses import dataclass

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.container import LogLine
from pushdeploy.domain.names import AppName
from pushdeploy.domain.ports.scheduler import Scheduler


@dataclass(frozen=True, slots=True)
class LogReader:
    """The reader gives the lines that the processes of an app print."""

    scheduler: Scheduler

    def lines(
        self,
        app: AppName,
        cancellation: Cancellation,
        *,
        tail: int,
        follow: bool,
        process: str | None,
    ) -> Iterator[tuple[str, LogLine]]:
        """The last ``tail`` lines of all processes, or of a type or one as web.1, each with the
        name of its process; to ``follow`` is to go on until cancelled."""

        def stop() -> bool:
            return cancellation.cancelled

        found = self.scheduler.logs(app, tail=tail, follow=follow, process=process, stop=stop)
        for item in found:
            if stop():
                return
            yield item
