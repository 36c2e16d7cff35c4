"""``Nginx`` is the Router port on an nginx of our own, beside whatever the machine runs.

A switch is one synchronous call: it returns when the new tasks have answered through nginx and
nobody is connected to the former ones. Where only one version may write, requests are held from
when the former tasks are to stop until the switch.
"""

import logging
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.certificate import Pem
from pushdeploy.domain.errors import BackendDown, PushdeployError, RouteFailed
from pushdeploy.domain.finding import Finding
from pushdeploy.domain.names import AppName, HostName
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.ports.request_log import RequestLog
from pushdeploy.domain.route import Route, Target, held
from pushdeploy.route.deadline import until
from pushdeploy.route.routers.nginx import challenges
from pushdeploy.route.routers.nginx.caretaker import Caretaker
from pushdeploy.route.routers.nginx.certificate_files import CertificateFiles
from pushdeploy.route.routers.nginx.door import door_of
from pushdeploy.route.routers.nginx.drain import wait_until_empty
from pushdeploy.route.routers.nginx.examination import Examination
from pushdeploy.route.routers.nginx.front_user import front_user
from pushdeploy.route.routers.nginx.holds import Holds
from pushdeploy.route.routers.nginx.kept_files import KeptFiles
from pushdeploy.route.routers.nginx.logs import LARGEST_BYTES, LARGEST_OF_AN_APP_BYTES, rotate
from pushdeploy.route.routers.nginx.main_files import install
from pushdeploy.route.routers.nginx.master import Master, Reload
from pushdeploy.route.routers.nginx.move import Move, destination, tell_open
from pushdeploy.route.routers.nginx.own_files import OwnFiles
from pushdeploy.route.routers.nginx.prefix import MAIN, Prefix
from pushdeploy.route.routers.nginx.program import features_of, refuse_unable
from pushdeploy.route.routers.nginx.refusals import Refusals
from pushdeploy.route.routers.nginx.reloads import Reloads
from pushdeploy.route.routers.nginx.rendering import (
    KEEPALIVE_MIN_TIMEOUT_SECONDS,
    SharedFront,
    app_file,
)
from pushdeploy.route.routers.nginx.request_logs import RequestLogs
from pushdeploy.route.routers.nginx.visit import Entrance, complaint
from pushdeploy.route.routers.nginx.workers import user_of
from pushdeploy.templating import Templates

_log = logging.getLogger(__name__)


class Nginx:
    """The router of one machine. Thread-safe; concurrent switches share their reloads."""

    def __init__(
        self,
        home: Path,
        shared: SharedFront,
        templates: Templates,
        program: Path | None = None,
    ) -> None:
        """Nothing is touched before start."""
        self._shared = shared
        self._templates = templates
        self._chosen = program
        self._prefix = Prefix(home / "nginx")
        self._master = Master(self._prefix, program)
        self._kept = KeptFiles()
        self._reloads = Reloads(self._prefix, self._master, self._kept)
        self._own = OwnFiles(self._prefix, self._kept)
        self._holds = Holds(self._prefix, shared.hold_seconds)
        self._firewall = Refusals(home)
        self._certificates = CertificateFiles(self._prefix)
        self._request_logs = RequestLogs(self._prefix)
        self._examination = Examination(
            program, self._master, self._prefix, shared.http, shared.https, self._complaints
        )
        self._stopped = threading.Event()

    def start(self) -> None:
        """Make nginx run with the present main file, adopting one that already does.

        It goes on when we end. ``BackendDown`` with nginx's own words.
        """
        self._stopped.clear()
        with _backend(), self._reloads.exclusively:
            self._firewall.clear()
            self._run()
            challenges.sweep(self._prefix)

    def watch(self, over: Callable[[], bool]) -> None:
        """Start nginx again whenever it ends by itself, and mend its files now and then."""
        caretaker = Caretaker(lambda: self._master.pid, self._ensure, self._prefix.deaths)
        caretaker.run(lambda: over() or self._stopped.is_set())

    def stop(self) -> None:
        """End our nginx at once, with whatever it still serves or holds."""
        self._stopped.set()
        with _backend(), self._reloads.exclusively:
            self._master.stop()
            for app in self._holds.apps():
                self._holds.end(app)
            self._firewall.clear()

    @contextmanager
    def hold(
        self, route: Route, leaving: Sequence[Target], drain_seconds: float, output: Output
    ) -> Iterator[None]:
        """Keep the app's requests waiting; see ``domain.ports.router.Router``.

        The refusals at ``leaving`` stay until the switch: so an old worker's request goes on to
        the holder at once, instead of waiting for an address that nobody has.
        """
        with _backend(), self._former_route_on_error(route):
            content = self._rendered(held(route))
            self._holds.begin(route.app)
            reload = self._apply(route.app, content)
            if not self._refuse(route.app, reload, leaving):
                until(reload.gone, KEEPALIVE_MIN_TIMEOUT_SECONDS)
            self._drain(Move(route, frozenset(leaving), drain_seconds, output, Cancellation()))
            self._refuse_unheld(route.app)
        yield

    def switch(
        self,
        route: Route,
        leaving: Sequence[Target],
        drain_seconds: float,
        output: Output,
        fallen: Cancellation | None = None,
    ) -> None:
        """Send the app's requests to ``route.targets``; see ``domain.ports.router.Router``.

        Requests that have come to ``leaving`` before are answered by them within the drain time.
        """
        left = frozenset(leaving) - frozenset(route.targets)
        move = Move(route, left, drain_seconds, output, fallen or Cancellation())
        with _backend():
            self._firewall.lift(route.targets)
            self._request_logs.note(route)
            waiting = None if route.is_held else self._holds.find(route.app)
            if route.is_held:
                self._holds.begin(route.app)
            if waiting and waiting.holding:
                self._switch_held(move)
            else:
                self._switch_served(move, still_held=waiting is not None)

    def refresh(self, route: Route) -> None:
        """Put new hosts, settings and rules in force; see ``domain.ports.router.Router``."""
        with _backend():
            waiting = self._holds.find(route.app)
            self._apply(
                route.app, self._rendered(held(route) if waiting and waiting.holding else route)
            )

    def routes(self, routes: Sequence[Route]) -> None:
        """Make exactly these the apps' files. A bad one is left as it was, and logged."""
        with _backend():
            wanted: dict[AppName, bytes | None] = dict.fromkeys(self._prefix.with_files())
            for route in routes:
                wanted.pop(route.app, None)
                try:
                    wanted[route.app] = self._rendered(route)
                except RouteFailed as error:
                    _log.error("app=%s has no new route: %s", route.app, error.message)
                self._request_logs.note(route)
            free = self._pass_on_but_held(routes)
            refused = self._reloads.apply(wanted).refused
            for app, lines in refused.items():
                _log.error("app=%s has no new route: %s", app, "; ".join(lines))
            with self._reloads.exclusively:
                for app, content in wanted.items():
                    self._own.sweep(app, self._reloads.content(app), content)
            for app in free & wanted.keys() - refused.keys():
                self._holds.finish(app)
            self._request_logs.keep_only(route.app for route in routes)

    def remove(self, app: AppName) -> None:
        """Let nothing answer for the app any more, apart from the page for unknown hosts."""
        with _backend():
            self._holds.pass_on(app, [])
            self._apply(app, None)
            self._holds.finish(app)
            self._firewall.forget(app)
            self._request_logs.forget(app)
            shutil.rmtree(self._prefix.cache / app, ignore_errors=True)

    def challenge(self, token: str, answer: str | None) -> None:
        """Show a certificate authority what it looks for; see ``domain.ports.router.Router``."""
        with _backend():
            challenges.show(self._prefix, token, answer)

    def certificates(self, pems: Mapping[HostName, Pem | None]) -> None:
        """Write the files that workers look at again after two seconds."""
        if self._shared.https is not None:
            with _backend():
                self._certificates.show(pems)

    def requests(self, app: AppName) -> RequestLog:
        return self._request_logs.of(app)

    def rename_requests(self, app: AppName, new: AppName) -> None:
        with _backend():
            self._request_logs.rename(app, new)

    def rotate_logs(
        self,
        largest_bytes: int = LARGEST_BYTES,
        largest_of_an_app_bytes: int = LARGEST_OF_AN_APP_BYTES,
    ) -> None:
        """Set aside those that have grown larger than that; their predecessors go."""
        with _backend(), self._reloads.exclusively:
            if self._master.pid is not None:
                most = largest_bytes, largest_of_an_app_bytes
                rotate(self._prefix, self._master.reopen_logs, *most)

    def examine(self, *, serving: bool) -> Iterator[Finding]:
        return self._examination.findings(serving=serving)

    def _run(self) -> None:
        user = front_user()
        self._certificates.belong_to(user)
        self._reloads.mend()
        news = install(self._prefix, self._master, self._kept, self._templates, self._shared)
        if self._master.pid is None:
            self._master.start()
            self._prefix.unread.unlink(missing_ok=True)
        elif news:
            self._prefix.unread.touch()
            self._reloads.apply({})

    def _ensure(self) -> None:
        with _backend(), self._reloads.exclusively:
            if self._master.pid is None and not self._stopped.is_set():
                self._run()
            self._reloads.mend()
            self._certificates.mend()
            self._master.go_on()

    def _complaints(self) -> Sequence[str]:
        with self._reloads.exclusively:
            return self._master.test(MAIN)

    def _rendered(self, route: Route) -> bytes | None:
        """None for a route without a host: nobody could ask for it. The files that the text
        refers to are there then.
        """
        if not route.site.hosts:
            return None
        refuse_unable(route, lambda: features_of(self._master.program))
        try:
            if self._shared.https is not None:
                self._certificates.stand_in(route.site.hosts)
            with self._reloads.exclusively:
                self._own.write(route.app, door_of(route.site).files)
            return app_file(self._templates, self._shared, route).encode()
        except PushdeployError as error:
            raise RouteFailed(error.message, error.hint) from error
        except ValueError as error:
            raise RouteFailed(f"{route.app} cannot be routed: {error}") from error

    @contextmanager
    def _former_route_on_error(self, route: Route) -> Iterator[None]:
        """Undo a hold that could not begin; one that was there before goes on."""
        former = self._reloads.content(route.app)
        held_before = self._holds.find(route.app) is not None
        try:
            yield
        except (PushdeployError, OSError, subprocess.SubprocessError):
            if not held_before:
                self._firewall.forget(route.app)
                self._holds.pass_on(route.app, route.targets)
                self._reloads.apply({route.app: former})
                self._holds.finish(route.app)
            raise

    def _refuse_unheld(self, app: AppName) -> None:
        if not self._holds.runs(app):
            raise BackendDown(
                f"nothing can hold the requests of {app}",
                f"its words are in {self._prefix.holders_log}",
            )

    def _refuse(self, app: AppName, reload: Reload, leaving: Sequence[Target]) -> bool:
        """Tell whether the workers that the reload has left behind get no connection to
        ``leaving``.
        """
        users = {user_of(pid) for pid in reload.left_behind} - {None}
        return all(self._firewall.add(app, user, leaving) for user in users if user is not None)

    def _let_go(self, route: Route, output: Output) -> None:
        """Pass on what is held before nginx does. When nginx refuses, the holder stays the way."""
        content = self._rendered(route)
        self._holds.pass_on(route.app, route.targets)
        self._apply(route.app, content)
        output.detail(destination(route))
        self._holds.finish(route.app)
        self._firewall.forget(route.app)

    def _switch_held(self, move: Move) -> None:
        self._let_go(move.route, move.output)
        self._refuse_silent(move.route, move.fallen)
        self._drain(move)

    def _switch_served(self, move: Move, *, still_held: bool) -> None:
        """``still_held``: a holder has let go already, and may have some who wait their turn."""
        app = move.route.app
        former, content = self._reloads.content(app), self._rendered(move.route)
        reload = self._apply(app, content)
        with self._former_file_on_error(app, former):
            self._refuse_silent(move.route, move.fallen)
        if still_held:
            self._holds.pass_on(app, move.route.targets)
            self._holds.finish(app)
        if content != former:
            move.output.detail(destination(move.route))
        self._drain(move, reload)
        self._firewall.forget(app)
        with self._former_file_on_error(app, former):
            if move.fallen.cancelled:
                raise RouteFailed(f"{app} has lost a task while traffic went to it")

    @contextmanager
    def _former_file_on_error(self, app: AppName, former: bytes | None) -> Iterator[None]:
        try:
            yield
        except RouteFailed:
            self._reloads.apply({app: former})
            raise

    def _refuse_silent(self, route: Route, fallen: Cancellation) -> None:
        if not (route.answers and route.site.hosts):
            return
        door, lines = door_of(route.site), self._shared.proxy_protocol
        behind = self._prefix.control_socket if door.answers else None
        if behind is not None and not route.targets:
            return
        address, secure = self._shared.https or self._shared.http, self._shared.https is not None
        entrance = Entrance(route.app, route.site.hosts[0], address, behind, lines, secure)
        wrong = complaint(entrance, fallen)
        if wrong:
            raise RouteFailed(
                f"{route.app} does not answer through nginx: {wrong}",
                f"logs {route.app} shows what the app says; does it listen on PORT?",
            )

    def _pass_on_but_held(self, routes: Sequence[Route]) -> set[AppName]:
        """Hold for those that are to be held; the apps that nothing is to be held for any more."""
        targets = {route.app: route.targets for route in routes}
        held = {route.app for route in routes if route.is_held and route.site.hosts}
        for app in held:
            self._holds.begin(app)
        free = set(self._holds.apps()) - held
        for app in free:
            self._firewall.forget(app)
            self._holds.pass_on(app, targets.get(app, ()))
        self._firewall.lift(target for each in targets.values() for target in each)
        return free

    def _apply(self, app: AppName, content: bytes | None) -> Reload:
        former = self._reloads.content(app)
        applied = self._reloads.apply({app: content})
        if app in applied.refused:
            raise RouteFailed(
                f"nginx refuses the configuration of {app}",
                f"correct {self._prefix.root / 'conf.d'} or the template"
                " <home>/templates/nginx/app.conf",
                details=applied.refused[app],
            )
        with self._reloads.exclusively:
            self._own.sweep(app, former, content)
        return applied.reload

    def _drain(self, move: Move, reload: Reload | None = None) -> None:
        """Without a ``reload`` no worker opens new connections: the table is exact at once."""
        if not move.leaving:
            return
        still_open = wait_until_empty(
            move.leaving,
            workers_gone=reload.gone if reload else lambda: False,
            quiet_at=reload.at + KEEPALIVE_MIN_TIMEOUT_SECONDS if reload else 0,
            drain_seconds=move.drain_seconds,
            fallen=move.fallen if reload else None,
        )
        if not (reload and move.fallen.cancelled):
            tell_open(still_open, move.drain_seconds, move.output)


@contextmanager
def _backend() -> Iterator[None]:
    """The border: what the file system or a process refuses is ``BackendDown`` beyond it."""
    try:
        yield
    except (OSError, subprocess.SubprocessError) as error:
        raise BackendDown(f"nginx cannot be reached: {error}", "pushdeploy doctor") from error
