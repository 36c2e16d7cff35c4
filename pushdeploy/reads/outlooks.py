"""Tells how the hosts of apps are doing with their automatic certificates."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pushdeploy.certificates.wishes import Wishes
from pushdeploy.domain.attempt import Attempt
from pushdeploy.domain.certificate import covers
from pushdeploy.domain.names import AppName, HostName
from pushdeploy.domain.outlook import Outlook, outlook_of
from pushdeploy.store import Store

_TURN_ON = 'tls = "auto" in pushdeploy.toml, then restart the server'


@dataclass(frozen=True, slots=True)
class OutlookReader:
    """``on``: the settings of the server want automatic certificates."""

    store: Store
    wishes: Wishes
    on: bool

    def all(self, app: AppName | None = None) -> Sequence[Outlook]:
        """Tell how all hosts of all apps stand, or those of one."""
        wanted, attempts = self.wishes.wanted(), self.store.attempts.all()
        present, now = self.wishes.present(), datetime.now(UTC)
        found = []
        for owner, hosts in self.wishes.hosts().items():
            for host in hosts if app in {None, owner} else ():
                name = next((name for name in wanted if covers(name, host)), None)
                if not self.on:
                    off = "automatic certificates are off"
                    found.append(Outlook(host, owner, "off", why=off, hint=_TURN_ON))
                elif name is None:
                    found.append(self._without(host, owner))
                else:
                    attempt = attempts.get(name, Attempt(name))
                    found.append(outlook_of(host, owner, attempt, present.get(name), now))
        return found

    def warnings(self, app: AppName | None = None) -> Sequence[Outlook]:
        """Tell of those hosts that somebody should look at."""
        return [each for each in self.all(app) if each.is_urgent] if self.on else []

    def _without(self, host: HostName, app: AppName) -> Outlook:
        why = self.wishes.unfit(host)
        if not why:
            return Outlook(host, app, "own", why="a certificate of its own is there")
        return Outlook(host, app, "none", why=why, hint=f"certs:add {app} takes one of your own")
