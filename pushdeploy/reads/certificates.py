"""Tells by which certificate each host is shown, and how long that lasts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from pushdeploy.certificates.choice import Certificates
from pushdeploy.domain.certificate import Certificate, Pem, ServedHost
from pushdeploy.domain.names import AppName
from pushdeploy.settings import Settings
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class CertificateReader:
    """The reader tells which hosts have which certificate; keys are never read."""

    store: Store
    certificates: Certificates
    settings: Settings

    @property
    def serves_tls(self) -> bool:
        return self.settings.https_address is not None

    def hosts(self, app: AppName | None = None) -> Sequence[ServedHost]:
        """List the hosts of one app or of all, each with what its visitors are shown."""
        return [each for each in self.certificates.served() if app in {None, each.app}]

    def warnings(self, app: AppName | None = None) -> Sequence[str]:
        """Say of each certificate that ends soon, or has ended, which hosts it is shown for."""
        if not self.serves_tls:
            return []
        return warnings_of(self.hosts(app), datetime.now(UTC), self.settings.tls == "auto")

    def chain(self, certificate: Certificate) -> str:
        """Return the certificates of a chain, without the key."""
        return self.store.certificates.pems([certificate.id]).get(certificate.id, Pem("", "")).chain


def warnings_of(
    hosts: Sequence[ServedHost], now: datetime, renews_automatic: bool
) -> Sequence[str]:
    """Return a sentence for each certificate that a person has to see to.

    Those that are renewed by themselves are not told of here.
    """
    found: dict[int, list[ServedHost]] = {}
    for each in hosts:
        if each.certificate is None or (renews_automatic and each.certificate.kind == "acme"):
            continue
        if each.state(now) in {"expiring", "expired", "early"}:
            found.setdefault(each.certificate.id, []).append(each)
    return [_warning(each, now) for each in found.values()]


def _warning(hosts: Sequence[ServedHost], now: datetime) -> str:
    certificate = hosts[0].certificate
    assert certificate is not None
    more = f" and {len(hosts) - 1} more" if len(hosts) > 1 else ""
    ends = f"{certificate.not_after:%Y-%m-%d %H:%M} UTC"
    said = {
        "expired": f"has ended at {ends}",
        "early": f"begins at {certificate.not_before:%Y-%m-%d %H:%M} UTC only",
    }.get(certificate.state(now), f"ends at {ends}, in {(certificate.not_after - now).days} days")
    return f"the certificate of {hosts[0].host}{more} {said}"
