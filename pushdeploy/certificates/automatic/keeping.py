"""A certificate that has been issued is looked at once more, kept, and shown to visitors."""

import logging
from dataclasses import dataclass, replace

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from pushdeploy.certificates.automatic.issuing import Issued
from pushdeploy.certificates.automatic.refusals import CaRefused
from pushdeploy.certificates.checking import Place, described
from pushdeploy.certificates.choice import Certificates
from pushdeploy.certificates.reading import names_of, public_key_of
from pushdeploy.domain.certificate import Certificate, Pem, covers
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.names import HostName
from pushdeploy.store import Store

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Keeping:
    """It is kept for the name, whichever app has that."""

    store: Store
    certificates: Certificates

    def keep(self, name: HostName, issued: Issued) -> None:
        """Keep it in place of the former one; ``CaRefused`` when it is not what was ordered.

        One that the router cannot be given now is shown later: it need not be ordered again.
        """
        certificate = certificate_of(name, issued)
        self.store.certificates.add(certificate, Pem(issued.chain_pem, issued.key_pem))
        try:
            self.certificates.show()
        except PushdeployError as error:
            _log.warning("host=%s is not shown its new certificate yet: %s", name, error.message)


def certificate_of(name: HostName, issued: Issued) -> Certificate:
    """Read what was issued; ``CaRefused`` unless it is for ``name`` and for our key."""
    try:
        first = x509.load_pem_x509_certificates(issued.chain_pem.encode())[0]
    except (ValueError, IndexError) as error:
        raise CaRefused(f"the CA has given what is no certificate: {error}") from error
    key = serialization.load_pem_private_key(issued.key_pem.encode(), None).public_key()
    if key != public_key_of(first) or not any(covers(each, name) for each in names_of(first)):
        raise CaRefused(f"the CA has given a certificate that is not for {name}")
    return replace(described(first, Place("acme", None, None, "pushdeploy")), names=(name,))
