"""Scale: an app runs another number of processes. Nothing is released: the slug stays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pushdeploy.domain.app import App
from pushdeploy.domain.asker import Asker
from pushdeploy.domain.formation import formation_of, parse_scale
from pushdeploy.domain.names import AppName, ProcessType
from pushdeploy.flow.start_stop import StartStop
from pushdeploy.flow.turn import Turns
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class Scaling:
    """An app runs another number of processes without a release."""

    store: Store
    turns: Turns
    start_stop: StartStop

    def scale(self, name: AppName, changes: Sequence[str], asker: Asker) -> None:
        """Apply ``changes`` as ``web=2`` and ``worker+1``, all of them or none.

        ``UserError`` for a process type that the slug has not; before the first release any may be
        named, for what that one will start.
        """
        with self.turns.to_its_end(name, "scale", asker) as app:
            live = self.store.releases.current(name)
            changed = parse_scale(changes, formation_of(app, live), any_type=live is None, app=name)
            if live is None:
                self._set(app, changed)
                return
            wanted = " ".join(f"{kind}={count}" for kind, count in changed.items())
            with (
                asker.output.step(f"Scaling {name} to {wanted}"),
                self.start_stop.or_back(name, asker.output, "the formation is as it was") as undo,
            ):
                undo.callback(self.store.apps.set_formation, name, app.formation)
                self._set(app, changed)

    def _set(self, app: App, changed: Mapping[ProcessType, int]) -> None:
        self.store.apps.set_formation(app.name, {**app.formation, **changed})
