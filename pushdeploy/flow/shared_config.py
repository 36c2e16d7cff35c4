"""Shared config: vars of all apps change, and the apps are found that a release would tell so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pushdeploy.domain.config import changed_config, differing_keys, staged_keys
from pushdeploy.domain.names import AppName
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class SharedChange:
    """``changed`` are names of vars; the next release of each app in ``seen_by`` has them anew."""

    changed: Sequence[str]
    seen_by: Sequence[AppName]


@dataclass(frozen=True, slots=True)
class SharedConfig:
    """Config vars that all apps share change here."""

    store: Store

    def change(self, changes: Mapping[str, str | None]) -> SharedChange:
        """Set, or with None unset. An app whose own vars hide all of ``changes`` sees nothing."""
        before = self.store.config.shared()
        wanted, _ = changed_config(before, changes)
        self.store.config.share(changes)
        names = [app.name for app in self.store.apps.list()]
        seen_by = [name for name in names if self._is_staged(name, changes)]
        return SharedChange(differing_keys(before, wanted), seen_by)

    def _is_staged(self, app: AppName, changes: Mapping[str, str | None]) -> bool:
        live = self.store.releases.current(app)
        return not changes.keys().isdisjoint(staged_keys(live, self.store.config.whole(app)))
