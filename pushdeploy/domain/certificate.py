"""A certificate proves to browsers that a host is who it says; one is chosen for each host."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from pushdeploy.domain.names import AppName, HostName

CertificateKind = Literal["own", "acme"]
CertificateState = Literal["valid", "expiring", "expired", "early", "stand-in"]

SELF_SIGNED = "itself (self-signed)"
"""The issuer of a certificate that no browser trusts, however valid it is."""

WARNING = timedelta(days=14)
"""So long before its end a certificate is told of, wherever anybody looks."""


@dataclass(frozen=True, slots=True)
class Pem:
    """The certificates of a chain, the host's own first, and its key, as texts in PEM form."""

    chain: str
    key: str = field(repr=False)

    @property
    def text(self) -> str:
        """Return the text of a file with both, so that one rename swaps both."""
        return f"{self.chain.rstrip()}\n{self.key.rstrip()}\n"


@dataclass(frozen=True, slots=True)
class Certificate:
    """``kind``: a person has brought an ``own`` one, an ``acme`` one came by itself.

    It is for ``app`` alone, or for whichever app has a host that it names. ``host``: for this host
    alone; without one for every host that it covers. ``names`` are the hosts that it covers, with
    wildcards. ``fingerprint`` is the SHA-256 of the certificate, ``key_type`` as ``EC P-256``.
    """

    id: int
    kind: CertificateKind
    app: AppName | None
    host: HostName | None
    names: Sequence[str]
    issuer: str
    not_before: datetime
    not_after: datetime
    fingerprint: str
    key_type: str
    by: str
    created_at: datetime

    @property
    def is_global(self) -> bool:
        """Tell whether a person has brought it for all apps."""
        return self.kind == "own" and self.app is None

    def serves(self, app: AppName, host: HostName) -> bool:
        """Tell whether it may be shown to visitors of ``host`` of ``app``."""
        return self.app in {None, app} and self.host in {None, host} and self.covers(host)

    def covers(self, host: HostName) -> bool:
        """Tell whether one of its names is good for ``host``, whoever may be shown it."""
        return any(covers(name, host) for name in self.names)

    def state(self, now: datetime) -> CertificateState:
        if now >= self.not_after:
            return "expired"
        if now < self.not_before:
            return "early"
        return "expiring" if self.not_after - now < WARNING else "valid"

    def is_good(self, now: datetime) -> bool:
        return self.not_before <= now < self.not_after

    def may_be_trusted(self, now: datetime) -> bool:
        """Tell whether browsers may go on without a warning."""
        return self.is_good(now) and self.issuer != SELF_SIGNED


@dataclass(frozen=True, slots=True)
class ServedHost:
    """A host of an app, with the certificate that its visitors are shown.

    Without one they are shown the stand-in, which no browser trusts.
    """

    app: AppName
    host: HostName
    certificate: Certificate | None

    def state(self, now: datetime) -> CertificateState:
        return self.certificate.state(now) if self.certificate else "stand-in"


def covers(name: str, host: str) -> bool:
    """Tell whether a certificate's ``name`` is good for ``host`` (RFC 6125, section 6.4.3).

    A wildcard stands for one label. A host that is a wildcard itself is covered by the very same
    wildcard only, for it may have any name below.
    """
    name = name.lower()
    if name == host:
        return True
    if not name.startswith("*.") or host.startswith("*."):
        return False
    label, dot, rest = host.partition(".")
    return bool(label and dot) and rest == name[2:]


def best_for(
    app: AppName, host: HostName, certificates: Iterable[Certificate], now: datetime
) -> Certificate | None:
    """Choose the certificate that visitors of ``host`` of ``app`` are shown; None is the stand-in.

    One that is valid now goes before one that is not, however near the latter stands. A person's
    own goes before an automatic one, a host's own name before a wildcard, what is for one app
    before what is for all; of the same rank the one that lasts longest.
    """
    fitting = [each for each in certificates if each.serves(app, host)]
    return max(fitting, key=lambda each: _rank(each, host, now), default=None)


def served(
    hosts: Mapping[AppName, Sequence[HostName]], certificates: Sequence[Certificate], now: datetime
) -> Sequence[ServedHost]:
    """Choose for all ``hosts`` of all apps."""
    by_name = _by_name(certificates)
    return [
        ServedHost(app, host, best_for(app, host, _near(host, by_name), now))
        for app, each in hosts.items()
        for host in each
    ]


def secured(hosts: Iterable[ServedHost], now: datetime) -> Mapping[AppName, frozenset[HostName]]:
    """Return the hosts of each app that visitors may be sent to by https: no browser warns them."""
    found: dict[AppName, set[HostName]] = {}
    for each in hosts:
        if each.certificate is not None and each.certificate.may_be_trusted(now):
            found.setdefault(each.app, set()).add(each.host)
    return {app: frozenset(each) for app, each in found.items()}


def differing(
    former: Mapping[AppName, frozenset[HostName]], now: Mapping[AppName, frozenset[HostName]]
) -> Sequence[AppName]:
    """List the apps of which other hosts are ``secured`` now."""
    none = frozenset[HostName]()
    return [app for app in {**former, **now} if former.get(app, none) != now.get(app, none)]


def _rank(certificate: Certificate, host: HostName, now: datetime) -> tuple[object, ...]:
    return (
        certificate.is_good(now),
        not certificate.is_global,
        certificate.kind == "own",
        certificate.host == host,
        host in certificate.names,
        certificate.not_after,
        certificate.id,
    )


def _by_name(certificates: Sequence[Certificate]) -> Mapping[str, Sequence[Certificate]]:
    found: dict[str, list[Certificate]] = {}
    for certificate in certificates:
        for name in certificate.names:
            found.setdefault(name.lower(), []).append(certificate)
    return found


def _near(host: HostName, by_name: Mapping[str, Sequence[Certificate]]) -> Sequence[Certificate]:
    """Those that have a name which may cover the host: thousands need not be asked each."""
    return [*by_name.get(host, ()), *by_name.get(f"*.{host.partition('.')[2]}", ())]
