"""``Prefix`` knows where everything lies in the directory of our own nginx."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from pushdeploy.domain.names import AppName, HostName
from pushdeploy.route.routers.nginx.holder import DIRECTORY, PAGE_SOCKET

MAIN = "nginx.conf"
TRIAL = "trial.conf"
PAGES = "pages.conf"
FORWARDING = "forwarding.conf"
_MOST_CHARACTERS = 240


@dataclass(frozen=True, slots=True)
class Prefix:
    """The paths of ``<home>/nginx``; nobody else joins them."""

    root: Path

    @property
    def apps(self) -> Path:
        """The files that nginx reads, one an app."""
        return self.root / "apps"

    @property
    def staging(self) -> Path:
        """The files that ``apps`` is to have: they are tested first."""
        return self.root / "staging"

    @property
    def set_aside(self) -> Path:
        """Apps' files that nginx refused when it was to read all of them."""
        return self.root / "apps.aside"

    @property
    def pages(self) -> Path:
        return self.root / "pages"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def access_log(self) -> Path:
        return self.logs / "access.log"

    @property
    def cache(self) -> Path:
        """Answers of apps that nginx keeps, a directory an app."""
        return self.root / "cache"

    @property
    def app_logs(self) -> Path:
        """The logs of requests, one file an app."""
        return self.logs / "apps"

    @property
    def error_log(self) -> Path:
        return self.logs / "error.log"

    @property
    def pid_file(self) -> Path:
        return self.root / "nginx.pid"

    @property
    def control_socket(self) -> Path:
        return self.root / "control.sock"

    @property
    def http2_control_socket(self) -> Path:
        return self.root / "control-h2.sock"

    @property
    def page_socket(self) -> Path:
        """The socket where whoever has waited too long is told to come back."""
        return self.root / PAGE_SOCKET

    @property
    def holders(self) -> Path:
        """Two sockets for each app whose requests are held: the requests' and the router's."""
        return self.root / DIRECTORY

    @property
    def holders_log(self) -> Path:
        return self.logs / "holders.log"

    @property
    def unread(self) -> Path:
        """Exists while files may differ from what nginx has read."""
        return self.root / "unread"

    @property
    def challenges(self) -> Path:
        """A file for each token that a certificate authority may ask for."""
        return self.root / "challenges"

    @property
    def certificates(self) -> Path:
        """A file for each host that is served by https: its chain and its key."""
        return self.root / "certs"

    @property
    def stand_in(self) -> Path:
        """The certificate for hosts that have none of their own."""
        return self.root / "stand-in.pem"

    def certificate(self, host: HostName) -> Path:
        return self.certificates / f"{certificate_name(host)}.pem"

    def make_certificates(self, group: int | None) -> None:
        """``group`` may pass through, and nobody else but us."""
        self.certificates.mkdir(mode=0o700, parents=True, exist_ok=True)
        if group is not None:
            os.chown(self.certificates, -1, group)
            self.certificates.chmod(0o710)

    def make(self) -> None:
        """Workers may pass through, for they start inside; others meet the home's own 0700."""
        self.root.mkdir(mode=0o711, parents=True, exist_ok=True)
        temp = self.root / "temp"
        conf_d = self.root / "conf.d"
        for directory in (
            self.apps,
            self.staging,
            self.pages,
            self.logs,
            self.app_logs,
            temp,
            conf_d,
        ):
            directory.mkdir(mode=0o755, exist_ok=True)
        own = self.root / "own"
        for directory in (self.holders, self.challenges, own):
            directory.mkdir(mode=0o711, exist_ok=True)
        self.cache.mkdir(mode=0o711, exist_ok=True)
        for directory in (self.root, temp, self.cache, self.holders, self.challenges, own):
            directory.chmod(0o711)
        self.pages.chmod(0o755)

    @property
    def deaths(self) -> Path:
        """The moments when nginx has ended by itself, one a line."""
        return self.root / "deaths"

    def app_file(self, app: AppName) -> Path:
        return self.apps / f"{app}.conf"

    def own_files(self, app: AppName) -> Path:
        """The directory of pages and lists that the app's nginx file refers to."""
        return self.root / "own" / app

    def with_files(self) -> Sequence[AppName]:
        """The apps that have a file here, whatever it may hold."""
        return [AppName(path.stem) for path in self.apps.glob("*.conf")]


def certificate_name(host: HostName) -> str:
    """The name of a host's file: no host name has a ``_``, which stands for a wildcard's star.

    A digest stands for one that is too long for the name of a file.
    """
    if len(host) > _MOST_CHARACTERS:
        return f"_{sha256(host.encode()).hexdigest()}"
    return f"_{host[1:]}" if host.startswith("*") else str(host)
