"""Settings: those of an app change, and what follows from the change is done at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pushdeploy.domain.app import App
from pushdeploy.domain.errors import RouteFailed, UserError
from pushdeploy.domain.settings import AppSettings, affected, changed_settings
from pushdeploy.domain.settings.setting import Affects
from pushdeploy.flow.converge import Converger
from pushdeploy.output import Quiet
from pushdeploy.publish.publisher import Publisher
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class SettingChanges:
    """Settings of an app change, and the parts that they affect follow."""

    store: Store
    converger: Converger
    schedulers: Sequence[str]
    publisher: Publisher

    def change(self, app: App, changes: Sequence[str]) -> AppSettings:
        """Apply ``key=value`` words: the settings of the app now. ``UserError`` for a bad one.

        What the router refuses does not stay: ``RouteFailed``. Neither does a folder that is not
        in the live slug: ``BuildFailed``.
        """
        settings = changed_settings(app.settings, changes)
        if settings.run.scheduler != app.settings.run.scheduler:
            self._refuse_unknown(settings.run.scheduler)
        if settings.front.static_folders != app.settings.front.static_folders:
            self._publish(replace(app, settings=settings))
        if changes:
            self.store.apps.set_settings(app.name, settings)
        if Affects.ROUTE in affected(app.settings, settings):
            self._follow(app)
        return settings

    def _publish(self, app: App) -> None:
        live = self.store.releases.current(app.name)
        if live is not None and not live.unreadable:
            self.publisher.ensure(app, live.slug, Quiet())

    def _refuse_unknown(self, scheduler: str | None) -> None:
        if scheduler is not None and scheduler not in self.schedulers:
            raise UserError(
                f"there is no scheduler {scheduler} here",
                f"there are: {', '.join(self.schedulers)}",
            )

    def _follow(self, app: App) -> None:
        """``app`` as it was before the change."""
        try:
            self.converger.refresh_route(app.name)
        except RouteFailed:
            self.store.apps.set_settings(app.name, app.settings)
            raise
