"""The server registers itself with a certificate authority once, and remembers the account."""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from acme import errors, messages
from acme.client import ClientV2
from cryptography.hazmat.primitives.asymmetric import ec
from josepy.jwk import JWK, JWKEC

from pushdeploy import __version__
from pushdeploy.certificates.automatic.network import Network
from pushdeploy.certificates.automatic.refusals import CaRefused, UnknownAccount, told
from pushdeploy.domain.acme_account import AcmeAccount
from pushdeploy.store.acme_accounts import AcmeAccounts

_YOUNG = timedelta(hours=1)
"""An account that the CA does not like is replaced, but not again and again."""


@dataclass(frozen=True, slots=True)
class Authority:
    """The operator's settings say who gives certificates, and as whom the server asks.

    ``given_id`` and ``given_key`` are what a CA with customers has handed out (RFC 8555, 7.3.4).
    """

    directory: str
    email: str = ""
    given_id: str = ""
    given_key: str = field(default="", repr=False)
    profile: str = ""
    ca_bundle: Path | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A client whose requests are those of an account."""

    client: ClientV2
    network: Network
    key: JWK


class Accounts:
    """The account with the authority is made when it is needed first. Thread-safe."""

    def __init__(self, authority: Authority, accounts: AcmeAccounts) -> None:
        self._authority = authority
        self._accounts = accounts
        self._lock = threading.Lock()

    def member(self) -> Member:
        """Give a client of its own for the account; ``CaRefused`` where there is none to have."""
        authority = self._authority
        with self._lock:
            account = self._accounts.get(authority.directory)
            if account is None or account.given_id != authority.given_id:
                return self._register()
        key = JWK.json_loads(account.key)
        member = self._client(key)
        member.network.account = messages.RegistrationResource(
            uri=account.url, body=messages.Registration()
        )
        return member

    def replace(self, refused: UnknownAccount) -> None:
        """Forget the account, so that the next member has another.

        One that was made a moment ago raises what the CA has against it instead, unless the CA has
        certainly lost it.
        """
        directory = self._authority.directory
        with self._lock:
            account = self._accounts.get(directory)
            if account is None:
                return
            if not refused.certain and datetime.now(UTC) - account.created_at < _YOUNG:
                raise refused
            self._accounts.remove(directory)

    def _client(self, key: JWK) -> Member:
        authority = self._authority
        network = Network(key, authority.ca_bundle, __version__)
        with told(authority.directory, network.last):
            directory = ClientV2.get_directory(authority.directory, network)
        return Member(ClientV2(directory, network), network, key)

    def _register(self) -> Member:
        authority = self._authority
        key = JWKEC(key=ec.generate_private_key(ec.SECP256R1()))
        member = self._client(key)
        with told(authority.directory, member.network.last):
            url = self._account_url(member)
        self._accounts.save(
            AcmeAccount(
                authority.directory, url, key.json_dumps(), authority.given_id, datetime.now(UTC)
            )
        )
        return member

    def _account_url(self, member: Member) -> str:
        authority = self._authority
        registration = messages.NewRegistration.from_data(
            email=authority.email or None,
            external_account_binding=self._binding(member),
            terms_of_service_agreed=True,
        )
        try:
            made = member.client.new_account(registration)
        except errors.ConflictError as known:
            return str(known.location)
        return str(made.uri)

    def _binding(self, member: Member) -> dict[str, object] | None:
        authority = self._authority
        if not authority.given_id:
            return None
        try:
            return messages.ExternalAccountBinding.from_data(
                member.key.public_key(),
                authority.given_id,
                authority.given_key,
                member.client.directory,
            )
        except (ValueError, TypeError) as error:
            raise CaRefused(
                "acme_eab_hmac_key is no key in base64url",
                "acme_eab_hmac_key in pushdeploy.toml, as the CA shows it",
            ) from error
