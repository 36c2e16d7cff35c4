"""Who is asking: the name of the key that signed the last request of the login."""

from dataclasses import dataclass

from pushdeploy.domain.names import KeyName


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A line of authorized_keys, taken apart; ``fingerprint`` as ``SHA256:…`` of OpenSSH."""

    name: KeyName
    kind: str
    base64: str
    fingerprint: str

    @property
    def line(self) -> str:
        return f"{self.kind} {self.base64} {self.name}"
