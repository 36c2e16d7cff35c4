"""Clone: a second app begins as a copy of another, with disks of its own that are empty."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pushdeploy.domain.app import App
from pushdeploy.domain.asker import Asker
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.front.rules import copied
from pushdeploy.domain.names import AppName
from pushdeploy.domain.promotion import TargetResult
from pushdeploy.flow.new_app import NewApps
from pushdeploy.flow.promote import Promoter, Promotion
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class Clones:
    """An app is cloned without its disks' data."""

    store: Store
    new_apps: NewApps
    promoter: Promoter

    def clone(
        self, app: App, new: AppName, asker: Asker, *, deploy: bool
    ) -> Sequence[TargetResult]:
        """Make ``new`` with the settings, front, config and formation of ``app``; to ``deploy``
        is to release its live slug as well: what became of that.

        ``UserError`` where no release could be begun, and ``new`` is not there then.
        """
        live = self.store.releases.current(app.name)
        with self.new_apps.made(new):
            self._copy(app, new)
            asker.output.line(f"{new} is there, with the settings and config of {app.name}")
            if live is None or not deploy:
                return []
            wanted = Promotion(app.name, [new], live.version, force=True)
            made = self.promoter.promote(wanted, asker)
            if self.store.releases.latest(new) is None:
                raise UserError(f"{new} was not made: {made[0].error}", f"apps:info {app.name}")
            return made

    def _copy(self, app: App, new: AppName) -> None:
        store, disks = self.store, replace(app.settings.disks, disk_limits_bytes={})
        store.apps.set_settings(new, replace(app.settings, disks=disks))
        store.apps.set_front(new, copied(app.front))
        store.apps.set_formation(new, app.formation)
        store.config.replace(new, store.config.get(app.name))
        store.disks.replace(new, store.disks.of(app.name))
