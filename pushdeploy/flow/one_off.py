"""Run: a command in a container of its own beside the app, with the live release's slug, config
and disks."""

import re
import secrets
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from pushdeploy.domain.app import App
from pushdeploy.domain.asker import Asker
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import Busy, UserError
from pushdeploy.domain.formation import formation_of
from pushdeploy.domain.names import KeyName, ProcessType
from pushdeploy.domain.one_off import OneOff
from pushdeploy.domain.ports.scheduler import Scheduler
from pushdeploy.domain.ports.streams import Streams
from pushdeploy.domain.release import Release
from pushdeploy.domain.slug import Slug
from pushdeploy.flow.live_release import live_release
from pushdeploy.locks.one_offs import OneOffs, RunningOneOff
from pushdeploy.locks.writers import Writers
from pushdeploy.run.manifests import Manifests
from pushdeploy.store import Store

_QUOTED = re.compile(r"'[^']*'" r'|"(?:[^"\\]|\\.)*"', re.DOTALL)
"""One pair of quotes with everything inside."""


@dataclass(frozen=True, slots=True)
class OneOffCommand:
    """A command that has its name, and its leave to write to the app's disks."""

    app: App
    live: Release
    name: str
    cancellation: Cancellation
    scheduler: Scheduler
    manifests: Manifests

    def run(self, typed: str, streams: Streams, environment: Mapping[str, str]) -> int:
        """Run what was ``typed``, with ``environment`` over the config: its exit code."""
        command = shell_command(typed, self.live.slug)
        manifest = self.manifests.of(self.app, self.live)
        one_off = OneOff(manifest, command, self.name, environment=environment)
        return self.scheduler.run_once(one_off, streams, self.cancellation)


@dataclass(frozen=True, slots=True)
class OneOffCommands:
    """A one-off command runs beside the tasks of an app."""

    store: Store
    scheduler: Scheduler
    manifests: Manifests
    writers: Writers
    running: OneOffs

    @contextmanager
    def beside(self, app: App, asker: Asker) -> Iterator[OneOffCommand]:
        """A command of the live release; other apps' commands see it run while inside.

        ``UserError`` where nothing is live, ``Busy`` while a release has the app's disks for
        itself, or they are to be put back.
        """
        live = live_release(self.store, app.name, "git push deploy main")
        name = f"run.{1000 + secrets.randbelow(9000)}"
        one = RunningOneOff(app.name, name, live.version, asker.cancellation)
        with self._allowed_to_write(app, live, name, asker.by), self.running.running(one):
            yield OneOffCommand(app, live, name, asker.cancellation, self.scheduler, self.manifests)

    def end(self, app: App, name: str, by: KeyName) -> None:
        """Stop the command ``name``, as run.9157. ``UserError`` where there is none."""
        if not self.running.cancel(app.name, name, f"{by} stopped it"):
            raise UserError(
                f"{name[:40]!r} is no one-off command of {app.name} that runs",
                self._instead_of_ending(app, name),
            )

    @contextmanager
    def _allowed_to_write(self, app: App, live: Release, name: str, by: KeyName) -> Iterator[None]:
        if not live.disks:
            yield
            return
        with self.writers.writing(app.name, name, by):
            if self.store.apps.get(app.name).put_back is not None:
                raise Busy(f"the disks of {app.name} are still to be put back", f"ps {app.name}")
            yield

    def _instead_of_ending(self, app: App, name: str) -> str:
        """Heroku ends a process with ``ps:stop web.1``, and starts another in its place."""
        kind = ProcessType(name.partition(".")[0])
        if kind not in formation_of(app, self.store.releases.current(app.name)):
            return f"ps {app.name} shows what does"
        return f"ps:restart {app.name} {name} replaces it, ps:scale {app.name} {kind}=0 stops all"


def shell_command(typed: str, slug: Slug) -> str:
    """Give the shell ``typed`` as it is, but for the name of a process type in front of it,
    which stands for the command of that type.

    All of it within one pair of quotes cannot be a program's name: then the quotes are taken off.
    """
    if _QUOTED.fullmatch(typed) and len(typed.split()) > 1:
        typed = shlex.split(typed)[0]
    name, space, words = typed.partition(" ")
    command = slug.process_types.get(ProcessType(name))
    return f"{command}{space}{words}" if command else typed
