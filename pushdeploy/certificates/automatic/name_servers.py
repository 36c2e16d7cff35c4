"""The DNS is asked as the certificate authority would: no file of this machine has a say."""

from collections.abc import Sequence

import dns.exception
import dns.resolver

from pushdeploy.settings import Address

_ANSWER_SECONDS = 5


class NameServers:
    """``server`` is asked in place of those that the machine uses. Thread-safe."""

    def __init__(self, server: Address | None = None) -> None:
        self._server = server

    def addresses(self, name: str) -> Sequence[str] | None:
        """The IPv4 and IPv6 addresses of the name, none for a name that is not there.

        None when no name server says anything for certain.
        """
        found = [self._records(name, kind) for kind in ("A", "AAAA")]
        known = [records for records in found if records is not None]
        some = [record for records in known for record in records]
        return some if some or len(known) == len(found) else None

    def texts(self, name: str) -> Sequence[str] | None:
        """The TXT records of the name; None as above."""
        found = self._records(name, "TXT")
        return None if found is None else [record.replace('" "', "").strip('"') for record in found]

    def _records(self, name: str, kind: str) -> Sequence[str] | None:
        try:
            answer = self._resolver().resolve(f"{name}.", kind, lifetime=_ANSWER_SECONDS)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return ()
        except (dns.exception.DNSException, OSError):
            return None
        return [record.to_text() for record in answer]

    def _resolver(self) -> dns.resolver.Resolver:
        if self._server is None:
            return dns.resolver.Resolver()
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = [self._server.host]
        resolver.port = self._server.port
        return resolver
