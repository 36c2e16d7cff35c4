"""Login needs a public key, and the key that signed last says who has logged in."""

import base64
import logging
from collections.abc import Callable

from paramiko.auth_handler import AuthHandler
from paramiko.common import AUTH_SUCCESSFUL, MSG_SERVICE_REQUEST, MSG_USERAUTH_REQUEST
from paramiko.message import Message
from paramiko.pkey import PKey
from paramiko.transport import Transport

from pushdeploy.domain.key_blob import fingerprint
from pushdeploy.domain.names import KeyName
from pushdeploy.domain.public_key import Login

_MOST_REQUESTS = 20
_log = logging.getLogger(__name__)


class NobodysKey(PKey):
    """This key stands for one that is not authorized, and is answered with a plain refusal."""

    shown = ""

    @classmethod
    def of(cls, blob: bytes) -> "NobodysKey":
        key = cls()
        key.shown = fingerprint(blob)
        return key


class SignedKeyAuth(AuthHandler):
    """The handler counts requests and handles two messages.

    Stock paramiko also handles USERAUTH_INFO_RESPONSE, whose count of 2³² makes its thread spin
    for ever, takes any number of requests, parses keys that nobody has authorized, and hangs up on
    a client whose first key is of a kind that it does not know.
    """

    def __init__(
        self,
        transport: Transport,
        authorized: Callable[[str, str], KeyName | None],
        granted: Callable[[Login], None],
    ) -> None:
        super().__init__(transport)
        self._authorized = authorized
        self._granted = granted
        self._requests_left = _MOST_REQUESTS
        self._offered: Login | None = None

    @property
    def _handler_table(self) -> dict[int, Callable[[Message], None]]:
        return {
            MSG_SERVICE_REQUEST: self._parse_service_request,
            MSG_USERAUTH_REQUEST: self._parse_userauth_request,
        }

    def _parse_service_request(self, message: Message) -> None:
        if self._may_ask():
            super()._parse_service_request(message)  # type: ignore[misc]

    def _parse_userauth_request(self, message: Message) -> None:
        if self.authenticated or self._may_ask():
            self._offered = None
            super()._parse_userauth_request(message)  # type: ignore[misc]

    def _may_ask(self) -> bool:
        self._requests_left -= 1
        if self._requests_left < 0:
            self._disconnect_no_more_auth()  # type: ignore[attr-defined]
            return False
        return True

    def _generate_key_from_request(self, algorithm: str, blob: bytes) -> PKey | None:
        """The key, if it is authorized; only then it is parsed."""
        kind = Message(blob).get_string().decode("ascii", "replace")
        if not _fits(algorithm, kind):
            return NobodysKey.of(blob)
        self._offered = self._look_up(kind, base64.b64encode(blob).decode())
        if self._offered is None:
            return NobodysKey.of(blob)
        key: PKey | None = super()._generate_key_from_request(algorithm, blob)  # type: ignore[misc]
        return key

    def _look_up(self, kind: str, encoded: str) -> Login | None:
        try:
            by = self._authorized(kind, encoded)
        except Exception:  # noqa: BLE001 - the border of an ssh session: the login is refused
            _log.exception("a public key could not be looked up")
            return None
        return Login(by, kind, encoded) if by is not None else None

    def _send_auth_result(self, username: str, method: str, result: int) -> None:
        """``_offered`` is the key of this very request: its signature has just been verified.

        A key that was only asked about never gets here (the hole of CVE-2024-45337).
        """
        if result == AUTH_SUCCESSFUL:
            if self._offered is None or method != "publickey":
                self._disconnect_no_more_auth()  # type: ignore[attr-defined]
                return
            self._granted(self._offered)
        super()._send_auth_result(username, method, result)  # type: ignore[misc]


def _fits(algorithm: str, kind: str) -> bool:
    """No certificates, and no signature algorithm of another kind of key."""
    if kind == "ssh-rsa":
        return algorithm in {"rsa-sha2-256", "rsa-sha2-512"}
    return algorithm == kind
