"""The directory of our own nginx: where everything in it lies, and how a file gets there whole."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pushdeploy.route.holder import DIRECTORY, PAGE_SOCKET

MAIN = "nginx.conf"
TRIAL = "trial.conf"
PAGES = "pages.conf"
FORWARDING = "forwarding.conf"


@dataclass(frozen=True, slots=True)
class Prefix:
    """The paths of ``<home>/nginx``; nobody else joins them."""

    root: Path

    @property
    def apps(self) -> Path:
        """One file an app: what nginx reads."""
        return self.root / "apps"

    @property
    def staging(self) -> Path:
        """What ``apps`` is to become: what is tested first."""
        return self.root / "staging"

    @property
    def set_aside(self) -> Path:
        """The apps' files of a start that they would have prevented."""
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
    def error_log(self) -> Path:
        return self.logs / "error.log"

    @property
    def pid_file(self) -> Path:
        return self.root / "nginx.pid"

    @property
    def control_socket(self) -> Path:
        return self.root / "control.sock"

    @property
    def page_socket(self) -> Path:
        """Where whoever has waited too long is told to come back."""
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

    def make(self) -> None:
        """Workers may pass through, for they start inside; others meet the home's own 0700."""
        self.root.mkdir(mode=0o711, parents=True, exist_ok=True)
        temp = self.root / "temp"
        conf_d = self.root / "conf.d"
        for directory in (self.apps, self.staging, self.pages, self.logs, temp, conf_d):
            directory.mkdir(mode=0o755, exist_ok=True)
        self.holders.mkdir(mode=0o711, exist_ok=True)
        for directory in (self.root, temp, self.holders):
            directory.chmod(0o711)
        self.pages.chmod(0o755)

    def app_files(self) -> Mapping[str, bytes]:
        """What each app's file holds, by the app's name."""
        return {path.stem: path.read_bytes() for path in self.apps.glob("*.conf")}


def write_whole(path: Path, content: bytes) -> None:
    """Readers see the former content or the new one, nothing between; 0644 whatever the umask.

    Not flushed to the disk: all of it is rendered again at every start.
    """
    beside = path.with_name(path.name + ".new")
    beside.write_bytes(content)
    beside.chmod(0o644)
    beside.replace(path)
