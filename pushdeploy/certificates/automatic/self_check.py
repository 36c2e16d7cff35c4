"""The self-check looks for what would make the certificate authority say no, before that is asked:
failures are counted there, and not here."""

import http.client
from dataclasses import dataclass

from pushdeploy.certificates.automatic.name_servers import NameServers
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.names import HostName
from pushdeploy.settings import Address

_ANSWER_SECONDS = 10
_MOST_BYTES = 1000
_PROXY_LINE = b"PROXY UNKNOWN\r\n"
"""Of a proxy that asks for itself: the PROXY protocol, section 2.1."""

_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - addresses to leave, not to bind


class NotReady(PushdeployError):
    """The CA would not find what it looks for; it has not been asked."""


@dataclass(frozen=True, slots=True)
class SelfCheck:
    """``front`` is where this machine's own proxy takes requests; with ``proxy_protocol`` each
    connection there begins with a PROXY line."""

    front: Address
    name_servers: NameServers
    proxy_protocol: bool = False

    def refuse_unknown(self, name: HostName) -> None:
        """Raise ``NotReady`` for a name without an address. Where no name server can be asked the
        CA's own may know it."""
        found = self.name_servers.addresses(name)
        if found is not None and not found:
            raise NotReady(
                f"{name} does not resolve: the DNS has no address for it",
                f"add an A record for {name} with the address of this machine",
            )

    def refuse_unanswered(self, name: HostName, token: str, answer: str) -> None:
        """Raise ``NotReady`` unless our own front gives ``answer`` to whoever asks for it."""
        wrong = self._wrong(name, token, answer)
        if wrong:
            raise NotReady(
                f"this machine's own front does not show the CA's token for {name}: {wrong}",
                "pushdeploy doctor",
            )

    def _wrong(self, name: HostName, token: str, answer: str) -> str:
        where = _ANYWHERE.get(self.front.host, self.front.host)
        connection = http.client.HTTPConnection(where, self.front.port, timeout=_ANSWER_SECONDS)
        try:
            connection.connect()
            connection.sock.sendall(_PROXY_LINE if self.proxy_protocol else b"")
            path = f"/.well-known/acme-challenge/{token}"
            connection.request("GET", path, headers={"Host": name, "User-Agent": "pushdeploy"})
            said = connection.getresponse()
            body = said.read(_MOST_BYTES).decode(errors="replace").strip()
        except (OSError, http.client.HTTPException) as error:
            return f"it does not answer: {error}"
        finally:
            connection.close()
        if said.status != http.client.OK:
            return f"it answers {said.status}"
        return "" if body == answer else "it shows another text"
