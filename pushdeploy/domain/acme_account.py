"""An account with a certificate authority, of which the server has one for each directory."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class AcmeAccount:
    """``url`` is the account's name at the CA; ``key`` its private key as a JWK (RFC 7517).

    ``given_id`` is the id with which the CA has bound it to a customer, where it wants that.
    """

    directory: str
    url: str
    key: str = field(repr=False)
    given_id: str
    created_at: datetime
