"""Certificates: people give them to apps and take them away, and the front follows."""

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pushdeploy.certificates.bundle import parse_bundle
from pushdeploy.certificates.checking import Place, checked
from pushdeploy.certificates.choice import Certificates
from pushdeploy.domain.certificate import Certificate, differing
from pushdeploy.domain.errors import PushdeployError, UnknownApp, UserError
from pushdeploy.domain.names import AppName, HostName
from pushdeploy.flow.converge import Converger
from pushdeploy.route.sites import Sites
from pushdeploy.store import Store

_log = logging.getLogger(__name__)

_AT_ONCE = 8
"""Their reloads are merged."""


@dataclass(frozen=True, slots=True)
class Given:
    """A certificate that is kept now; ``hosts`` are those that it covers, of one app or of all.

    ``uncovered`` are the hosts of the app that it does not cover.
    """

    certificate: Certificate
    hosts: Sequence[HostName]
    uncovered: Sequence[HostName]
    notes: Sequence[str]


@dataclass(frozen=True, slots=True)
class CertificateChanges:
    """A change of certificates needs no release, and no reload but for redirects to https."""

    store: Store
    sites: Sites
    certificates: Certificates
    converger: Converger
    ca_bundle: Path | None

    def give(self, app: AppName | None, host: HostName | None, data: bytes, by: str) -> Given:
        """Check what a person hands over, and keep it: for ``app`` or for all, for one ``host`` or
        for all that it covers.

        ``UserError`` for what cannot be used; what was there before stays.
        """
        if app is not None and host is not None:
            self.refuse_foreign(app, host)
        found = checked(parse_bundle(data), Place("own", app, host, by), self.ca_bundle)
        hosts = self._hosts(app) if host is None else [host]
        covered = [each for each in hosts if found.certificate.covers(each)]
        if app is not None and not covered:
            raise _covers_nothing(app, host, found.certificate)
        with self._followed():
            kept = self.store.certificates.add(found.certificate, found.pem)
        return Given(kept, covered, [each for each in hosts if each not in covered], found.notes)

    def take(self, certificates: Sequence[Certificate]) -> None:
        """Remove these; the hosts that they were for are shown by the next best."""
        with self._followed():
            self.store.certificates.remove(*(each.id for each in certificates))

    def of_app(self, app: AppName | None, host: HostName | None) -> Sequence[Certificate]:
        """List what people have given to an app, or to all apps; ``host``: for this host alone.

        ``UserError`` where there is none.
        """
        found = [
            each
            for each in self.store.certificates.list(app)
            if each.kind == "own" and each.app == app and host in {None, each.host}
        ]
        if not found:
            whose = app or "the server"
            where = f" for {host} alone" if host else ""
            raise UserError(
                f"{whose} has no certificate of its own{where}",
                f"certs:list {app or ''}".strip() + " shows what its visitors are shown",
            )
        return found

    def keep_up(self) -> None:
        """Show what is best now: one may have ended, or come by itself, and redirects follow."""
        self.certificates.show()
        for app in self.certificates.changed():
            if not self._has_followed(app):
                self.certificates.note_changed(app)

    def _has_followed(self, app: AppName) -> bool:
        """Tell whether the app is routed anew: one that fails, or whose requests wait for an hour,
        holds up no other, and is tried again in the next round."""
        if self.converger.traffic.locks.waiting_since(app) is not None:
            return False
        try:
            self.converger.refresh_route(app)
        except UnknownApp:  # destroyed meanwhile
            return True
        except PushdeployError as error:
            _log.warning("app=%s is not redirected anew: %s", app, error.message)
            return False
        return True

    def follow(self, apps: Sequence[AppName]) -> None:
        """Show what is best now, and route ``apps`` anew: they have got a certificate, or lost it.

        A reload is only made where redirects to https change with it.
        """
        self.certificates.show()
        if len(apps) == 1:
            self.converger.refresh_route(apps[0])
            return
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="secure") as pool:
            for done in [pool.submit(self.converger.refresh_route, app) for app in apps]:
                done.result()

    def refuse_foreign(self, app: AppName, host: HostName) -> None:
        """Raise ``UserError`` where the app does not answer on the host."""
        if host not in self.sites.hosts(app):
            raise UserError(f"{app} does not answer on {host}", f"domains:add {app} {host}")

    @contextmanager
    def _followed(self) -> Iterator[None]:
        """The front follows what is changed inside."""
        former = self.certificates.secured()
        yield
        self.follow(differing(former, self.certificates.secured()))

    def _hosts(self, app: AppName | None) -> Sequence[HostName]:
        return [each.host for each in self.certificates.served() if app in {None, each.app}]


def _covers_nothing(app: AppName, host: HostName | None, certificate: Certificate) -> UserError:
    named = ", ".join(certificate.names[:5]) + (" …" if len(certificate.names) > 5 else "")
    what = f"{host}" if host else f"any host of {app}"
    return UserError(
        f"the certificate does not cover {what}: it is for {named}",
        f"domains:list {app} shows its hosts; domains:add {app} {certificate.names[0]} adds one",
    )
