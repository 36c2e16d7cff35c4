"""Workers of nginx read a file for each host at a handshake: certificate, chain and key.

A file that is renamed over is shown within three seconds, with no reload (ssl_certificate_cache).
"""

import logging
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

from pushdeploy.domain.certificate import Pem
from pushdeploy.domain.names import HostName
from pushdeploy.route.routers.nginx.front_user import FrontUser
from pushdeploy.route.routers.nginx.kept_files import Access, KeptFiles, read, remove
from pushdeploy.route.routers.nginx.prefix import Prefix
from pushdeploy.stand_in import is_stand_in, make_stand_in

_log = logging.getLogger(__name__)


class CertificateFiles:
    """Thread-safe; the one writer of the directory.

    The workers' group may read the files, and nobody else but the owner.
    """

    def __init__(self, prefix: Prefix) -> None:
        self._prefix = prefix
        self._kept = KeptFiles(Access(0o600, None))
        self._guard = threading.Lock()
        self._stand_in: bytes | None = None

    def belong_to(self, user: FrontUser | None) -> None:
        """Make the directory, for workers who run as ``user``, or as we do."""
        with self._guard:
            self._kept.access = Access(0o640, user.gid) if user else Access(0o600, None)
            self._prefix.make_certificates(user.gid if user else None)

    def show(self, pems: Mapping[HostName, Pem | None]) -> None:
        """Write exactly these; None is the stand-in."""
        with self._guard:
            wanted = {
                self._prefix.certificate(host): pem.text.encode() if pem else self._shown_stand_in()
                for host, pem in pems.items()
            }
            for path in set(self._prefix.certificates.glob("*")) - wanted.keys():
                self._kept.write(path, None)
            for path, content in wanted.items():
                self._keep(path, content)

    def stand_in(self, hosts: Iterable[HostName]) -> None:
        """Write the stand-in for those of ``hosts`` that have no file."""
        with self._guard:
            for host in hosts:
                path = self._prefix.certificate(host)
                if not path.is_file():
                    self._keep(path, self._shown_stand_in())

    def mend(self) -> None:
        """Write those again that have been damaged or opened to others."""
        with self._guard:
            for path in self._kept.mend():
                _log.error("%s was damaged, and is written again", path)

    def _keep(self, path: Path, content: bytes) -> None:
        if self._kept.holds(path, content):
            return
        self._kept.write(path, content)

    def _shown_stand_in(self) -> bytes:
        """The same from start to start, for people may have told their browser to bear it."""
        if self._stand_in is None:
            place = self._prefix.stand_in
            found = read(place)
            if found is None or not is_stand_in(found):
                remove(place)
                found = make_stand_in().text.encode()
                KeptFiles(Access(0o600, None)).write(place, found)
            self._stand_in = found
        return self._stand_in
