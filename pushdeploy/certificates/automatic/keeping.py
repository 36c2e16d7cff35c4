"""A certificate that has been issued is looked at once more, kept, and shown to visitors."""

from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from pushdeploy.certificates.automatic.issuing import Issued
from pushdeploy.certificates.automatic.refusals import CaRefused
from pushdeploy.certificates.choice import Certificates
from pushdeploy.domain.certificate import Certificate, Pem, covers
from pushdeploy.domain.names import HostName
from pushdeploy.store import Store


@dataclass(frozen=True, slots=True)
class Keeping:
    """It is kept for the name, whichever app has that."""

    store: Store
    certificates: Certificates

    def keep(self, name: HostName, issued: Issued) -> None:
        """Keep it in place of the former one; ``CaRefused`` when it is not what was ordered."""
        certificate = certificate_of(name, issued)
        self.store.certificates.add(certificate, Pem(issued.chain_pem, issued.key_pem))
        self.certificates.show()


def certificate_of(name: HostName, issued: Issued) -> Certificate:
    """Read what was issued; ``CaRefused`` unless it is for ``name`` and for our key."""
    try:
        first = x509.load_pem_x509_certificates(issued.chain_pem.encode())[0]
        found = first.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (ValueError, IndexError, UnsupportedAlgorithm, x509.ExtensionNotFound) as error:
        raise CaRefused(f"the CA has given what is no certificate: {error}") from error
    key = serialization.load_pem_private_key(issued.key_pem.encode(), None)
    names = found.value.get_values_for_type(x509.DNSName)
    if key.public_key() != first.public_key() or not any(covers(each, name) for each in names):
        raise CaRefused(f"the CA has given a certificate that is not for {name}")
    return Certificate(
        id=0,
        kind="acme",
        app=None,
        host=None,
        names=(name,),
        issuer=_issuer(first.issuer),
        not_before=first.not_valid_before_utc,
        not_after=first.not_valid_after_utc,
        fingerprint=first.fingerprint(hashes.SHA256()).hex(),
        key_type="EC P-256",
        by="pushdeploy",
        created_at=datetime.now(UTC),
    )


def _issuer(name: x509.Name) -> str:
    """Who has signed, as people call them: the organisation, and which of its keys."""
    parts = [
        str(attribute.value)
        for kind in (NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)
        for attribute in name.get_attributes_for_oid(kind)
    ]
    return " ".join(parts)
