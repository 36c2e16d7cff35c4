"""Builds of one app leave directories for its next builds, which no other app sees."""

import os
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pushdeploy.build.containers import APP_IDS
from pushdeploy.disks.programs import remove, used_bytes
from pushdeploy.domain.leftovers import Window

_SCOPE_BYTES = 16
_MOST_NOTES = 1000


@dataclass(frozen=True, slots=True)
class AppCaches:
    """Each directory below ``root`` bears an app's id, which it keeps when it is renamed.

    The directory itself is ours; what builds write into stands one below, so that no build can
    exchange it for a link.
    """

    root: Path

    @classmethod
    def below(cls, cache: Path) -> "AppCaches":
        """Return the directories of all builds that keep what they reuse in ``cache``."""
        return cls(cache / "apps")

    def directory(self, app_id: int, name: str) -> Path:
        """Return a tool's directory for downloads of builds, which the user of builds owns."""
        found = self._of(app_id) / name
        if not found.is_dir():
            found.mkdir(parents=True, exist_ok=True)
            os.chown(found, *APP_IDS)
        os.utime(found.parent)  # when they were last needed
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

    @contextmanager
    def building(self, app_id: int) -> Iterator[None]:
        """Note when a Dockerfile is built, for what its builder leaves bears no name."""
        self._note(app_id, "begun")
        try:
            yield
        finally:
            self._note(app_id, "ended")

    def windows(self, app_id: int, server_began: datetime) -> Sequence[Window]:
        """List the times when Dockerfiles of the app were built; a kill has ended one, too."""
        found: list[Window] = []
        for word, moment in self._notes(app_id):
            if found and found[-1].ended is None:
                begun = found.pop().begun
                found.append(
                    Window(begun, moment if word == "ended" else min(moment, server_began))
                )
            if word == "begun":
                found.append(Window(moment, None))
        if found and found[-1].ended is None and found[-1].begun < server_began:
            found.append(Window(found.pop().begun, server_began))
        return found

    def was_cut_short(self, app_id: int, server_began: datetime) -> bool:
        """Tell whether a build of the app had not ended when this server began, and is not
        settled.
        """
        last = next(iter([*self._notes(app_id)][-1:]), None)
        return last is not None and last[0] == "begun" and last[1] < server_began

    def settle(self, app_id: int, server_began: datetime) -> None:
        """Note the end of a build that was cut short, while the app is not being built."""
        if self.was_cut_short(app_id, server_began):
            self._note(app_id, "ended", server_began)

    def remember(self, app_id: int) -> None:
        """Let ``app_ids`` name the app until ``remove``, whether it was ever built or not."""
        self._of(app_id).mkdir(parents=True, exist_ok=True)

    def app_ids(self) -> Sequence[int]:
        """List the ids of apps that have anything here, also of those that have been destroyed."""
        names = (path.name for path in self.root.iterdir()) if self.root.is_dir() else ()
        return sorted(int(name) for name in names if name.isdecimal())

    def wants_trimming(self, app_id: int, most_bytes: int, oldest: datetime) -> bool:
        """Tell whether there are too many downloads, or none was needed since ``oldest``."""
        found = self._directories(app_id)
        if not found:
            return False
        unused = datetime.fromtimestamp(self._of(app_id).stat().st_mtime, UTC) < oldest
        return unused or sum(map(used_bytes, found)) > most_bytes

    def remove_downloads(self, app_id: int) -> None:
        """While the app is not being built."""
        for found in self._directories(app_id):
            remove(found)

    def remove(self, app_id: int) -> None:
        """All of an app; nothing happens when there is nothing."""
        remove(self._of(app_id))

    def _directories(self, app_id: int) -> Sequence[Path]:
        """Those of tools, beside which lie files of ours."""
        home = self._of(app_id)
        return [path for path in home.iterdir() if path.is_dir()] if home.is_dir() else []

    def _note(self, app_id: int, word: str, moment: datetime | None = None) -> None:
        file = self._of(app_id) / "builds"
        file.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):
            lines = file.read_text(encoding="ascii").splitlines(keepends=True)
            if len(lines) > 2 * _MOST_NOTES:
                file.write_text("".join(lines[-_MOST_NOTES:]), encoding="ascii")
        with file.open("a", encoding="ascii") as notes:
            notes.write(f"{word} {(moment or datetime.now(UTC)).isoformat()}\n")

    def _notes(self, app_id: int) -> Iterator[tuple[str, datetime]]:
        """A line that was cut off is passed over."""
        with suppress(FileNotFoundError, NotADirectoryError):
            text = (self._of(app_id) / "builds").read_text(encoding="ascii", errors="replace")
            for line in text.splitlines():
                word, _, moment = line.partition(" ")
                with suppress(ValueError):
                    yield word, datetime.fromisoformat(moment)

    def _of(self, app_id: int) -> Path:
        return self.root / str(app_id)


def remove_shared(cache: Path, names: Iterable[str]) -> None:
    """Remove the directories that were every app's, until one could plant code in another so."""
    for name in names:
        if (cache / name).exists():
            remove(cache / name)
