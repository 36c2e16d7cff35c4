"""Configure: changes of config vars become a release of the live slug, or wait for the next one."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.config import changed_config
from pushdeploy.domain.names import AppName
from pushdeploy.domain.release import Release
from pushdeploy.flow.candidates import Candidates
from pushdeploy.flow.ship import Shipper
from pushdeploy.flow.turn import Turns
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class ConfigChanges:
    """A change of an app's config is a release."""

    store: Store
    turns: Turns
    candidates: Candidates
    shipper: Shipper

    def configure(
        self,
        app: AppName,
        changes: Mapping[str, str | None],
        asker: Asker,
        *,
        release: bool = True,
    ) -> Release | None:
        """Set (or with None unset) config vars: one release for them and all that was staged.

        None when these vars are live so already, or when they wait for the next release: without
        ``release``, or when the app has none yet. Where the release fails, what is wanted stays
        as it was before.
        """
        with self.turns.of(app, "config change", asker):
            wanted, _ = changed_config(self.store.config.get(app), changes)
            live = self.store.releases.current(app)
            if live is None or not release or self._has_so(live, changes, wanted):
                self.store.config.replace(app, wanted)
                return None
            return self.shipper.ship(self.candidates.of_config(live, wanted, asker.by), asker)

    def follow(self, app: AppName, keys: Collection[str], asker: Asker) -> Release | None:
        """Release the config of all apps with the app's own; None where ``keys`` are live so."""
        with self.turns.of(app, "config change", asker):
            wanted, live = self.store.config.get(app), self.store.releases.current(app)
            if live is None or self._has_so(live, keys, wanted):
                return None
            return self.shipper.ship(self.candidates.of_config(live, wanted, asker.by), asker)

    def _has_so(self, live: Release, keys: Collection[str], wanted: Mapping[str, str]) -> bool:
        """Tell whether ``keys`` are live as they would be with the own config ``wanted``."""
        whole = {**self.store.config.shared(), **wanted}
        return all(live.whole_config.get(key) == whole.get(key) for key in keys)
