"""Domains: an app answers on other host names, all of those that were asked for or none."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from pushdeploy.certificates.choice import Certificates
from pushdeploy.domain.names import AppName, HostName
from pushdeploy.domain.ports.errands import Errands
from pushdeploy.flow.converge import Converger
from pushdeploy.route.sites import Sites
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class DomainChanges:
    """A change of an app's host names needs no release."""

    store: Store
    sites: Sites
    certificates: Certificates
    converger: Converger
    errands: Errands

    def change(
        self,
        app: AppName,
        wanted: Sequence[HostName],
        gone: Sequence[HostName],
    ) -> Sequence[HostName]:
        """Add what is ``wanted`` and remove what is ``gone``: those that are new to the app.

        Nothing is changed where the router or another app objects.
        """
        domains, new = self.store.domains, self.sites.new_hosts(app, wanted)
        with self.certificates.leaving(app, gone), ExitStack() as undo:
            for host in gone:
                domains.remove(app, host)
                undo.callback(domains.add, app, host)
            for host in new:
                domains.add(app, host)
                undo.callback(domains.remove, app, host)
            self.certificates.show()
            self.converger.refresh_route(app)
            undo.pop_all()
        if gone:
            self._forget_certificates(app, gone)
        self.errands.certify()
        return new

    def _forget_certificates(self, app: AppName, gone: Sequence[HostName]) -> None:
        """Those that were for one of these hosts alone go with it, with their keys."""
        certificates = self.store.certificates
        certificates.remove(*(each.id for each in certificates.list(app) if each.host in gone))
