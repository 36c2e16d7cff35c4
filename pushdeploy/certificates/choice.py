"""Each host of each app is shown by the best of the certificates that there are."""

import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from pushdeploy.domain.certificate import ServedHost, differing, secured, served
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.names import AppName, HostName
from pushdeploy.domain.ports.router import Router
from pushdeploy.domain.site import all_hosts
from pushdeploy.store import Store

_log = logging.getLogger(__name__)


class Certificates:
    """The router is told from here what to show; the database is what counts. Thread-safe.

    ``domain`` is the server's own.
    """

    def __init__(self, store: Store, router: Router, domain: str) -> None:
        self._store = store
        self._router = router
        self._domain = domain
        self._guard = threading.Lock()
        self._secured: Mapping[AppName, frozenset[HostName]] | None = None
        self._changed: set[AppName] = set()
        self._leaving: dict[AppName, Sequence[HostName]] = {}

    def show(self) -> None:
        """Make the router show what is best now: also for a host that an app has just got.

        Whoever adds a host, or a certificate, calls this before the app is routed anew.
        """
        with self._guard:  # or an older choice could come after a newer one
            found = self.served()
            chosen = [each.certificate.id for each in found if each.certificate]
            pems = self._store.certificates.pems(list(dict.fromkeys(chosen)))
            self._router.certificates(
                {
                    each.host: pems.get(each.certificate.id) if each.certificate else None
                    for each in found
                }
            )
            self._note(secured(found, datetime.now(UTC)))

    def try_to_show(self) -> None:
        """Show what is best where nothing leads back: the next round does what fails now."""
        try:
            self.show()
        except PushdeployError as error:
            _log.warning("certificates are not shown yet: %s", error.message)

    @contextmanager
    def leaving(self, app: AppName, hosts: Sequence[HostName]) -> Iterator[None]:
        """Show ``hosts`` on inside, though the store has taken them from ``app``: visitors are
        still served there. Afterwards what the store says is shown, also after a failure.
        """
        with self._guard:
            self._leaving[app] = hosts
        try:
            yield
        finally:
            with self._guard:
                self._leaving.pop(app, None)
            self.try_to_show()

    def changed(self) -> Sequence[AppName]:
        """List the apps of which other hosts than before have a certificate, since this was asked
        last: their redirects to https have to follow.
        """
        with self._guard:
            changed, self._changed = self._changed, set()
            return sorted(changed)

    def note_changed(self, app: AppName) -> None:
        """Let ``changed`` list the app again: it could not follow yet."""
        with self._guard:
            self._changed.add(app)

    def served(self) -> Sequence[ServedHost]:
        """List all hosts of all apps, each with what its visitors are shown."""
        return served(self._hosts(), self._store.certificates.list(), datetime.now(UTC))

    def secured(self) -> Mapping[AppName, frozenset[HostName]]:
        """Return the hosts of each app that visitors may be sent to by https."""
        return secured(self.served(), datetime.now(UTC))

    def _note(self, now: Mapping[AppName, frozenset[HostName]]) -> None:
        """All apps are routed after the first time."""
        former, self._secured = self._secured, now
        if former is not None:
            self._changed |= set(differing(former, now))

    def _hosts(self) -> Mapping[AppName, Sequence[HostName]]:
        leaving = self._leaving.copy()
        return {
            app: list(dict.fromkeys([*each, *leaving.get(app, ())]))
            for app, each in hosts_of_apps(self._store, self._domain).items()
        }


def hosts_of_apps(store: Store, domain: str) -> Mapping[AppName, Sequence[HostName]]:
    """Return the hosts of all apps there are, whatever state they are in."""
    names = [app.name for app in store.apps.list()]
    return all_hosts(names, store.domains.all(), domain)
