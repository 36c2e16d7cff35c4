"""What builds of one app leave for its next builds: a directory for each app, seen by no other."""

import os
import secrets
import shutil
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pushdeploy.build.containers import APP_IDS

_SCOPE_BYTES = 16
_FORMER = "uv"
"""One directory was every app's, until an app could be seen to plant code in another by it."""


@dataclass(frozen=True, slots=True)
class AppCaches:
    """Directories below ``root``, each named by an app's id, which it keeps when it is renamed.

    The directory itself is ours; what builds write into stands one below, so that no build can
    exchange it for a link.
    """

    root: Path

    def downloads(self, app_id: int) -> Path:
        """Where the app's builds keep downloaded packages; it belongs to the user of builds."""
        found = self._of(app_id) / "uv"
        if not found.is_dir():
            found.mkdir(parents=True, exist_ok=True)
            os.chown(found, *APP_IDS)
        return found

    def scope(self, app_id: int) -> str:
        """A word that no other app can guess, and that goes into the names of all that is reused.

        What names an image or a cache of an app must therefore have been told the name.
        """
        file = self._of(app_id) / "scope"
        with suppress(FileNotFoundError):
            if word := file.read_text(encoding="ascii").strip():
                return word
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(".part")
        unfinished.write_text(secrets.token_hex(_SCOPE_BYTES) + "\n", encoding="ascii")
        unfinished.chmod(0o600)
        unfinished.replace(file)
        return file.read_text(encoding="ascii").strip()

    def remove(self, app_id: int) -> None:
        """All of an app; nothing happens when there is nothing."""
        shutil.rmtree(self._of(app_id), ignore_errors=True)

    def remove_others(self, app_ids: Collection[int]) -> Sequence[str]:
        """What belongs to none of these apps: the names of what has gone.

        A server that was killed while it destroyed an app leaves such a directory.
        """
        if not self.root.is_dir():
            return []
        known = {str(app_id) for app_id in app_ids}
        others = sorted(path.name for path in self.root.iterdir() if path.name not in known)
        for name in others:
            shutil.rmtree(self.root / name, ignore_errors=True)
        return others

    def _of(self, app_id: int) -> Path:
        return self.root / str(app_id)


def remove_former(cache: Path) -> None:
    """The one that all apps shared; what is in it may have been written by any of them."""
    shutil.rmtree(cache / _FORMER, ignore_errors=True)
