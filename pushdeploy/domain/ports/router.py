"""The port of a router: it sends HTTP requests to tasks."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.certificate import Pem
from pushdeploy.domain.finding import Finding
from pushdeploy.domain.names import AppName, HostName
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.ports.request_log import RequestLog
from pushdeploy.domain.route import Route, Target


class Router(Protocol):
    """Sends the HTTP requests of visitors to the tasks of apps."""

    def start(self) -> None:
        """Make the proxy run, adopting one that already does. ``BackendDown`` with the reason."""

    def hold(
        self, route: Route, leaving: Sequence[Target], drain_seconds: float, output: Output
    ) -> AbstractContextManager[None]:
        """Keep the app's requests waiting instead of sending them to ``leaving``.

        ``route`` is the present one. Entered when no request is at ``leaving`` any more, or
        ``drain_seconds`` have passed; inside, nothing new reaches ``leaving``: stop them there.
        The requests are held until ``switch``, also after the context is left, each for the
        router's hold_seconds at the most. ``RouteFailed`` or ``BackendDown`` leaves the former
        route as it was.
        """

    def switch(
        self,
        route: Route,
        leaving: Sequence[Target],
        drain_seconds: float,
        output: Output,
        fallen: Cancellation | None = None,
    ) -> None:
        """Send the app's requests to ``route.targets``, those that are held first.

        It waits for nothing any more when ``fallen`` is cancelled, which raises ``RouteFailed``.

        Returns when they have answered through the proxy and nothing is connected to ``leaving``
        any more, or ``drain_seconds`` have passed. ``RouteFailed`` leaves the former route as
        it was; but where requests were held, they have gone to ``route.targets`` all the same.
        """

    def refresh(self, route: Route) -> None:
        """Put new hosts, settings and rules of the app in force; its targets are as they were.

        Nobody is asked whether they answer: an app that is broken can be given a page that says
        so. ``RouteFailed`` leaves the former route as it was. What is held stays held.
        """

    def routes(self, routes: Sequence[Route]) -> None:
        """Make exactly these the routes, with one reload at most; a bad one is left out.

        What is held of an app whose route is not ``held`` any more goes to its targets.
        """

    def challenge(self, token: str, answer: str | None) -> None:
        """Let every host, of an app or not, answer ``/.well-known/acme-challenge/<token>`` so.

        At once and before anything else, whatever state the app is in. None ends that: the path is
        the app's again, as all are for which there is no token.
        """

    def certificates(self, pems: Mapping[HostName, Pem | None]) -> None:
        """Show visitors of these hosts these certificates from now on, within three seconds.

        ``pems`` has all hosts of all apps. None is the stand-in, a certificate that no browser
        trusts; a host has it also from its first route on. No connection is cut and nothing is
        reloaded for it. A router that serves no TLS does nothing.
        """

    def remove(self, app: AppName) -> None:
        """Answer for the app no more, and forget the lines of its requests."""

    def requests(self, app: AppName) -> RequestLog:
        """Return a reader of what became of the app's requests."""

    def rename_requests(self, app: AppName, new: AppName) -> None:
        """The lines of past requests follow an app to its new name."""

    def watch(self, over: Callable[[], bool]) -> None:
        """Start the proxy again whenever it ends by itself, until ``over``; on a thread."""

    def rotate_logs(self) -> None:
        """Called now and then, so that the proxy's own logs do not fill the file system."""

    def examine(self, *, serving: bool) -> Iterator[Finding]:
        """Yield findings about the proxy, which need not run while no server is ``serving``."""
