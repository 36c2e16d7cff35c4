"""All or nothing that comes to nothing: targets that are live already get what they had before, and
also when the server was killed in between."""

import json
import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.names import AppName
from pushdeploy.domain.release import Reason, Release
from pushdeploy.flow.candidates import Candidates
from pushdeploy.flow.ship import Shipper
from pushdeploy.flow.turn import Turns
from pushdeploy.output import Quiet
from pushdeploy.store import Store

_log = logging.getLogger(__name__)

_JOURNAL = "all-or-nothing "
"""What the names of the journal's entries begin with; the first target, by name, follows."""


@dataclass(frozen=True, slots=True)
class Former:
    """A target before the promotion; ``wanted`` is its config, what is staged included."""

    live: Release | None
    wanted: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class TakeBack:
    """A promotion that has failed for one target is taken back for all."""

    store: Store
    turns: Turns
    candidates: Candidates
    shipper: Shipper

    def former(self, target: AppName) -> Former:
        return Former(self.store.releases.current(target), self.store.config.get(target))

    def restore(self, target: AppName, live: Release, former: Former, asker: Asker) -> Release:
        """The slug and config of ``live`` once more, without a release phase.

        What was staged is staged again, for the promotion had taken it. Under the app's lock.
        """
        candidate = self.candidates.of_return(live, asker.by)
        back = self.shipper.ship(candidate, asker)
        self.store.config.replace(target, former.wanted)
        return back

    @contextmanager
    def noted(self, targets: Mapping[AppName, Former]) -> Iterator[None]:
        """While inside, the start after a kill finds what it has to take back."""
        name = f"{_JOURNAL}{min(targets)}"
        self.store.meta.set(name, _written(targets))
        try:
            yield
        finally:
            self.store.meta.remove(name)

    def recover(self) -> None:
        """Take back, at the start, a promotion of a killed server, unless all targets were live.

        Returns when their apps are locked; the rest is done in the background.
        """
        for name, text in self.store.meta.starting_with(_JOURNAL).items():
            targets = self._read_or_none(name, text)
            promoted = {app: live for app in targets if (live := self._promoted(app, targets[app]))}
            if not promoted or len(promoted) == len(targets):
                self.store.meta.remove(name)
                continue
            locked = threading.Event()
            work = [name, {app: (live, targets[app]) for app, live in promoted.items()}, locked]
            threading.Thread(target=self._take_back, args=work, name=name, daemon=True).start()
            locked.wait()

    def _take_back(
        self,
        name: str,
        promoted: Mapping[AppName, tuple[Release, Former]],
        locked: threading.Event,
    ) -> None:
        by = min(live.by for live, _ in promoted.values())
        asker = Asker(by, Quiet(), Cancellation())
        with self.turns.of_several(promoted, "end of a promotion that was cut short", asker):
            locked.set()
            for app, (live, former) in promoted.items():
                self._restore_quietly(app, live, former)
            self.store.meta.remove(name)

    def _restore_quietly(self, app: AppName, promoted: Release, former: Former) -> None:
        if former.live is None:
            _log.warning("app=%s had no release before: %s stays", app, promoted.label)
            return
        _log.warning("app=%s release=%s is taken back: others did not", app, promoted.label)
        try:
            self.restore(app, former.live, former, Asker(promoted.by, Quiet(), Cancellation()))
        except PushdeployError as error:
            _log.warning("app=%s cannot be taken back: %s", app, error.message)
        except Exception:  # noqa: BLE001 - the other targets must be taken back all the same
            _log.exception("app=%s cannot be taken back", app)

    def _promoted(self, app: AppName, former: Former) -> Release | None:
        """What the promotion has brought live; None where it did not come so far."""
        live = self.store.releases.current(app)
        before = former.live.version if former.live else 0
        if live is None or live.version <= before or live.reason is not Reason.PROMOTE:
            return None
        return live

    def _read_or_none(self, name: str, text: str) -> Mapping[AppName, Former]:
        """A journal that cannot be read takes nothing back, and must keep nobody from starting."""
        try:
            return self._read(text)
        except (ValueError, TypeError, KeyError, AttributeError):
            _log.warning("the journal of %s cannot be read: what was promoted stays", name)
            return {}

    def _read(self, text: str) -> Mapping[AppName, Former]:
        return {
            AppName(app): Former(
                self.store.releases.find(AppName(app), entry["version"]), entry["wanted"]
            )
            for app, entry in json.loads(text).items()
        }


def _written(targets: Mapping[AppName, Former]) -> str:
    return json.dumps(
        {
            app: {"version": each.live.version if each.live else 0, "wanted": dict(each.wanted)}
            for app, each in targets.items()
        }
    )
