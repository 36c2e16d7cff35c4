"""Front: the rules for an app's visitors change, all of what was asked for or nothing."""

from collections.abc import Callable
from dataclasses import dataclass

from pushdeploy.domain.app import App
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.front.rules import FrontRules
from pushdeploy.domain.names import AppName
from pushdeploy.domain.ports.output import Output
from pushdeploy.flow.converge import Converger
from pushdeploy.store import Store

Edit = Callable[[FrontRules], FrontRules]
"""Makes the rules that an app is to have of those of now; it may refuse, by a ``UserError``."""


@dataclass(frozen=True, slots=True)
class FrontChanges:
    """A change of an app's rules needs no release, and waits for no build."""

    store: Store
    converger: Converger

    def change(self, name: AppName, edit: Edit, output: Output) -> FrontRules:
        """Give the app the rules that ``edit`` makes, and return those.

        Where the router refuses them the app has its former ones. While requests of it are held
        the change waits, and follows as soon as they go on.
        """
        traffic = self.converger.traffic
        if traffic.locks.waiting_since(name) is not None:
            output.detail(f"requests of {name} are held: this follows when they go on")
        with traffic.alone(name):
            app = self.store.apps.get(name)
            rules = edit(app.front)
            if rules != app.front:
                self._put_in_force(app, rules)
            return rules

    def _put_in_force(self, app: App, rules: FrontRules) -> None:
        self.store.apps.set_front(app.name, rules)
        try:
            self.converger.refresh_route(app.name)
        except PushdeployError:
            self.store.apps.set_front(app.name, app.front)
            raise
