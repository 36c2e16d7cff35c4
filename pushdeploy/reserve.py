"""Keeps a reserve of room in the home, to be given up when its file system is full."""

import logging
import shutil
from pathlib import Path

from pushdeploy.no_room import no_room_at, write_blocks

_log = logging.getLogger(__name__)

RESERVE_BYTES = 16 * 1024**2
_RESERVE_FILES = 32
_RESERVE_PART = 20
"""The reserve takes no more than this part of what is free when it is made."""


class Reserve:
    """Files in the home keep room for a command that frees more, on a full file system."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._directory = home / "reserve"

    def keep(self) -> None:
        """Make the reserve where there is none and enough is free. Does not raise."""
        if self._directory.exists():
            return
        draft = self._home / ".reserve"
        try:
            shutil.rmtree(draft, ignore_errors=True)
            free_bytes = shutil.disk_usage(self._home).free
            if free_bytes < 2 * RESERVE_BYTES:
                return
            draft.mkdir(mode=0o700)
            for number in range(_RESERVE_FILES):  # a file system can run out of files, too
                (draft / str(number)).touch()
            write_blocks(draft / "room", min(RESERVE_BYTES, free_bytes // _RESERVE_PART))
            draft.rename(self._directory)
        except OSError as error:
            _log.info("no room is kept in reserve: %s", error.strerror)
            shutil.rmtree(draft, ignore_errors=True)

    def give_up_where_full(self) -> None:
        """Say that the home cannot be written to where that is so, and remove the reserve then."""
        trouble = no_room_at(self._home)
        if trouble is None:
            self.keep()
            return
        _log.error("%s; %s", trouble.message, trouble.hint)
        if self.give_up():
            _log.warning("the reserve for this is free now: make room soon")

    def give_up(self) -> bool:
        """Remove the reserve, and tell whether there was one."""
        if not self._directory.exists():
            return False
        shutil.rmtree(self._directory, ignore_errors=True)
        return not self._directory.exists()
