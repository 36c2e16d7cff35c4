"""Tells what the processes of an app have printed and the router has done, and goes on to tell."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.container import LogLine
from pushdeploy.domain.names import AppName
from pushdeploy.domain.ports.request_log import RequestLog
from pushdeploy.domain.ports.router import Router
from pushdeploy.domain.ports.scheduler import Scheduler
from pushdeploy.domain.router_line import ROUTER

Line = tuple[str, LogLine]


@dataclass(frozen=True, slots=True)
class LogReader:
    """The reader gives the lines that the processes of an app print, and those of the router."""

    scheduler: Scheduler
    router: Router

    def lines(
        self,
        app: AppName,
        cancellation: Cancellation,
        *,
        tail: int,
        follow: bool,
        process: str | None,
    ) -> Iterator[Line]:
        """The last ``tail`` lines of all processes and the router, or of a type or one as web.1,
        or of ``router``, each with its place; to ``follow`` is to go on until cancelled."""

        def stop() -> bool:
            return cancellation.cancelled

        found = self.scheduler.logs(app, tail=tail, follow=follow, process=process, stop=stop)
        with closing(_requests(self.router, app, process)) as requests:
            past = [*_until_none(found), *_placed(requests.last(tail))]
            for line in _by_time(past)[-tail:] if tail else []:
                if stop():
                    return
                yield line
            if follow and not stop():
                yield from _news(found, requests, cancellation)


class _NoRequests:
    """Nothing of the router: whoever asks for one process does not ask for requests."""

    def last(self, tail: int) -> list[LogLine]:  # noqa: ARG002 - the port's
        return []

    def news(self) -> list[LogLine]:
        return []

    def close(self) -> None: ...


def _requests(router: Router, app: AppName, process: str | None) -> RequestLog:
    return router.requests(app) if process in {None, ROUTER} else _NoRequests()


def _until_none(found: Iterator[Line | None]) -> Iterator[Line]:
    """The lines of the past; ``found`` is where the news begin afterwards."""
    for item in found:
        if item is None:
            return
        yield item


def _news(
    found: Iterator[Line | None], requests: RequestLog, cancellation: Cancellation
) -> Iterator[Line]:
    for item in found:
        if cancellation.cancelled:
            return
        yield from _by_time([*_placed(requests.news()), *([item] if item else [])])


def _placed(lines: Sequence[LogLine]) -> list[Line]:
    return [(ROUTER, line) for line in lines]


def _by_time(lines: list[Line]) -> list[Line]:
    return sorted(lines, key=lambda item: item[1].at)
