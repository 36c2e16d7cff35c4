"""Pages and lists of people that an app brings lie beside its nginx file, in files of their own.

A file is named by what it holds and never changes: so nginx, which still reads the former file of
an app while it takes the new one, finds the former pages too. But for those that the server on
control.sock shows for all apps, which knows them by their status.
"""

import os
from collections.abc import Mapping

from pushdeploy.domain.names import AppName
from pushdeploy.route.routers.nginx.front_user import front_user
from pushdeploy.route.routers.nginx.kept_files import KeptFiles
from pushdeploy.route.routers.nginx.prefix import Prefix


class OwnFiles:
    """The files of all apps. The caller holds the lock of the kept files."""

    def __init__(self, prefix: Prefix, kept: KeptFiles) -> None:
        self._prefix = prefix
        self._kept = kept

    def write(self, app: AppName, files: Mapping[str, bytes]) -> None:
        """Write those that are not there yet; nobody but root and nginx's workers reads them."""
        if not files:
            return
        directory = self._prefix.own_files(app)
        directory.mkdir(mode=0o750, parents=True, exist_ok=True)
        user = front_user()
        if user is not None:
            os.chown(directory, -1, user.gid)
        directory.chmod(0o750)
        for name, content in files.items():
            path = directory / name
            if not self._kept.holds(path, content):
                self._kept.write(path, content)

    def sweep(self, app: AppName, *texts: bytes | None) -> None:
        """Remove those that none of ``texts``, the app's former nginx file and the new one, name;
        all of them where the last one is None, for the app is gone."""
        directory = self._prefix.own_files(app)
        if not directory.is_dir():
            return
        if texts[-1] is None:
            texts = ()
        for path in directory.iterdir():
            still_read = texts if "-" in path.name else texts[-1:]
            if not any(path.name.encode() in text for text in still_read if text):
                self._kept.write(path, None)
        if not any(directory.iterdir()):
            directory.rmdir()
