"""Reloads make nginx read the apps' files: tested first, merged, taken back if refused.

Changes that arrive while a reload is going on share the next one. A reload costs seconds with
a thousand hosts, and each leaves a generation of workers behind.
"""

import logging
import os
import re
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pushdeploy.domain.errors import BackendDown, PushdeployError
from pushdeploy.domain.names import AppName
from pushdeploy.route.routers.nginx.kept_files import KeptFiles, read, remove
from pushdeploy.route.routers.nginx.master import Master, Reload, ReloadRefused
from pushdeploy.route.routers.nginx.prefix import TRIAL, Prefix

_log = logging.getLogger(__name__)

_MOST_SET_ASIDE = 50
_APP_FILE = re.compile(r"\bapps/(?P<name>[^/\s\"]+\.conf)\b")

_PASSING = re.compile(rb"^ *#.*$|\b\d{1,3}(?:\.\d{1,3}){3}:\d{1,5}\b", re.MULTILINE)

Changes = Mapping[AppName, bytes | None]
"""What each app's file is to hold; None removes it."""


@dataclass(frozen=True, slots=True)
class Applied:
    """The outcome tells what nginx has read now.

    ``refused`` has its words about the changes that it did not take.
    """

    reload: Reload
    refused: Mapping[AppName, Sequence[str]] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class _Ticket:
    changes: Changes
    outcome: Applied | PushdeployError | None = None


class Reloads:
    """Thread-safe; the one writer of the apps' files."""

    def __init__(self, prefix: Prefix, master: Master, kept: KeptFiles) -> None:
        self._prefix = prefix
        self._master = master
        self._kept = kept
        self._guard = threading.Lock()
        self._waiting: list[_Ticket] = []
        self.exclusively = threading.RLock()
        """Held while nginx is tested, reloaded or started."""

    def apply(self, changes: Changes) -> Applied:
        """Returns when nginx works by the changes, or says why it refuses them.

        ``BackendDown`` when it cannot be reached; then the files are as they were.
        """
        ticket = _Ticket(changes)
        with self._guard:
            self._waiting.append(ticket)
        with self.exclusively:
            if ticket.outcome is None:
                with self._guard:
                    batch, self._waiting = self._waiting, []
                self._settle(batch)
        if isinstance(ticket.outcome, Applied):
            return ticket.outcome
        raise ticket.outcome or BackendDown("the reload was interrupted", "try again")

    def content(self, app: AppName) -> bytes | None:
        """The text of the app's file, None without one that could be read."""
        return read(self._prefix.app_file(app))

    def mend(self) -> None:
        """Write those files again that have been damaged. The caller has ``exclusively``.

        What is no file at all goes out of nginx's way: it would wait for ever at a pipe.
        """
        self._prefix.make()
        for path in _no_files(self._prefix):
            set_aside(self._prefix, path, "it is no file")
        for path in self._kept.mend():
            _log.error("%s was damaged, and is written again", path)
            self._prefix.unread.touch()

    def _settle(self, batch: Sequence[_Ticket]) -> None:
        merged = {app: content for ticket in batch for app, content in ticket.changes.items()}
        outcome: Applied | PushdeployError
        try:
            outcome = self._take(merged)
        except PushdeployError as error:
            outcome = error
        except OSError as error:
            outcome = BackendDown(
                f"the nginx files cannot be written: {error}", "pushdeploy doctor"
            )
        for ticket in batch:
            ticket.outcome = outcome

    def _take(self, merged: Changes) -> Applied:
        self.mend()
        wanted = {app: new for app, new in merged.items() if not self._holds(app, new)}
        if not wanted and self._master.pid and not self._prefix.unread.exists():
            return Applied(self._master.left_behind())
        if self._need_no_trial(wanted):
            try:
                return self._reloaded(wanted, {})
            except ReloadRefused:  # for something else: the trial finds out what
                _log.warning("nginx refuses files that differ in addresses alone")
        accepted, refused = self._tested(wanted)
        if wanted and not accepted:
            return Applied(self._master.left_behind(), refused)
        former = {app: self.content(app) for app in accepted}
        try:
            return self._reloaded(accepted, refused)
        except ReloadRefused as error:
            return self._taken_back(former, error)

    def _reloaded(self, changes: Changes, refused: Mapping[AppName, Sequence[str]]) -> Applied:
        """Let nginx read them; where it cannot or will not, the files are as they were before."""
        former = {app: self.content(app) for app in changes}
        self._prefix.unread.touch()
        self._write(changes)
        try:
            reload = self._master.reload()
        except (PushdeployError, ReloadRefused):
            self._write(former)
            raise
        self._prefix.unread.unlink()
        return Applied(reload, refused)

    def _need_no_trial(self, wanted: Changes) -> bool:
        """Tell whether nginx has read all files before but for the addresses in them.

        So it is with every deploy. A trial is a whole nginx, started to read every app's file.
        """
        if not wanted or not self._master.pid or self._prefix.unread.exists():
            return False
        return all(differ_in_addresses(self.content(app), new) for app, new in wanted.items())

    def _taken_back(self, former: Changes, error: ReloadRefused) -> Applied:
        """What a trial does not see: a port that somebody holds, a lack of memory."""
        _log.error("nginx goes on with its former files:\n%s", "\n".join(error.lines))
        with suppress(ReloadRefused):
            self._master.reload()
            self._prefix.unread.unlink()
        if not former:
            raise BackendDown(
                f"nginx did not take its main file: {error.lines[0]}", "pushdeploy doctor"
            ) from error
        return Applied(self._master.left_behind(), dict.fromkeys(former, error.lines))

    def _tested(self, wanted: Changes) -> tuple[Changes, Mapping[AppName, Sequence[str]]]:
        """The changes that nginx would take together, and its words about each of the others."""
        lines = self._trial(wanted)
        if not lines:
            return wanted, {}
        present = self._without_refused(wanted)
        if present:
            return {}, dict.fromkeys(wanted, present)
        return self._sorted({}, wanted)

    def _without_refused(self, wanted: Changes) -> Sequence[str]:
        """Leave out other apps' present files where nginx refuses one: its lines about the rest.

        Those that we have not written go first: nginx may name the other one of two that clash.
        """
        others = dict.fromkeys(wanted)
        lines = self._trial(others)
        if not names_an_app(lines):
            return lines
        for app in set(self._prefix.with_files()) - others.keys():
            if not self._kept.knows(self._prefix.app_file(app)):
                set_aside(self._prefix, self._prefix.app_file(app), lines[0])
        self._prefix.unread.touch()
        return without_named(self._prefix, lambda: self._trial(others))

    def _holds(self, app: AppName, content: bytes | None) -> bool:
        path = self._prefix.app_file(app)
        if content is None:
            return not os.path.lexists(path)
        if self.content(app) != content:
            return False
        self._kept.learn(path, content)
        return True

    def _sorted(
        self, taken: Changes, wanted: Changes
    ) -> tuple[Changes, Mapping[AppName, Sequence[str]]]:
        """Halve what is refused until the bad ones stand alone."""
        lines = self._trial({**taken, **wanted})
        if not lines:
            return {**taken, **wanted}, {}
        if len(wanted) == 1:
            return taken, dict.fromkeys(wanted, lines)
        items, middle = list(wanted.items()), len(wanted) // 2
        taken, refused = self._sorted(taken, dict(items[:middle]))
        taken, more = self._sorted(taken, dict(items[middle:]))
        return taken, {**refused, **more}

    def _trial(self, changes: Changes) -> Sequence[str]:
        """nginx's words about the apps' files with ``changes`` in them, which stay as they are."""
        staging = self._prefix.staging
        shutil.rmtree(staging, ignore_errors=True)
        staging.mkdir()
        for path in self._prefix.apps.glob("*.conf"):
            if path.stem not in changes:
                os.link(path, staging / path.name)
        for app, content in changes.items():
            if content is not None:
                (staging / f"{app}.conf").write_bytes(content)
        return [line.replace("staging/", "apps/") for line in self._master.test(TRIAL)]

    def _write(self, changes: Changes) -> None:
        for app, content in changes.items():
            self._kept.write(self._prefix.app_file(app), content)


def differ_in_addresses(former: bytes | None, new: bytes | None) -> bool:
    """Tell whether two texts differ in comments and addresses with a port, and nothing else."""
    if former is None or new is None:
        return False
    return _PASSING.sub(b"", former) == _PASSING.sub(b"", new)


def without_named(prefix: Prefix, trial: Callable[[], Sequence[str]]) -> Sequence[str]:
    """Set aside what the lines of ``trial`` name, one after the other: the lines that are left."""
    lines = trial()
    for _ in range(_MOST_SET_ASIDE):
        named = _APP_FILE.search("\n".join(lines))
        path = prefix.apps / named["name"] if named else prefix.apps
        if not named or not os.path.lexists(path):
            break
        set_aside(prefix, path, lines[0])
        lines = trial()
    return lines


def names_an_app(lines: Sequence[str]) -> bool:
    """Tell whether nginx complains of an app's file, and not of an operator's or its own."""
    return any(_APP_FILE.search(line) for line in lines)


def set_aside(prefix: Prefix, path: Path, why: str) -> None:
    """Move an app's file out of nginx's sight, until the app is routed again."""
    prefix.set_aside.mkdir(exist_ok=True)
    place = prefix.set_aside / path.name
    remove(place)
    path.rename(place)
    _log.error("app=%s is not served, its nginx file is left out: %s", path.stem, why)


def _no_files(prefix: Prefix) -> Sequence[Path]:
    with os.scandir(prefix.apps) as entries:
        return [
            Path(each.path)
            for each in entries
            if each.name.endswith(".conf") and not each.is_file(follow_symlinks=False)
        ]
