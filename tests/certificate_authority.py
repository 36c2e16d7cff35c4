"""A certificate authority for tests: Debian's pebble, with the name server that belongs to it."""

import json
import os
import shutil
import ssl
import subprocess
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pushdeploy.route.deadline import until
from pushdeploy.settings import Address

_HOST = "127.0.0.1"
_START_SECONDS = 30
VALID_SECONDS = 90 * 86_400


@dataclass
class NameServer:
    """``pebble-challtestsrv``: every name leads to this machine unless it is told otherwise."""

    address: Address
    management: str

    def forget(self, name: str) -> None:
        """Let the name lead nowhere."""
        self._tell("clear-a", {"host": f"{name}."})

    def lead(self, name: str, *addresses: str) -> None:
        self._tell("add-a", {"host": f"{name}.", "addresses": addresses})

    def lead_unknown(self, address: str) -> None:
        """Let all other names lead there; an empty one lets them lead nowhere."""
        self._tell("set-default-ipv4", {"ip": address})
        self._tell("set-default-ipv6", {"ip": ""})

    def _tell(self, what: str, facts: Mapping[str, object]) -> None:
        body = json.dumps(facts).encode()
        with urllib.request.urlopen(f"{self.management}/{what}", body, timeout=10) as answer:
            answer.read()


class Pebble:
    """``start`` and ``stop`` it as often as a test wants: with it goes all that it knew."""

    def __init__(self, root: Path, ports: list[int], names: NameServer) -> None:
        self.directory = f"https://{_HOST}:{ports[0]}/dir"
        self.bundle, self.key = root / "ca.pem", root / "ca-key.pem"
        self._management = f"https://{_HOST}:{ports[1]}"
        self._root = root
        self.names = names
        self._process: subprocess.Popen[bytes] | None = None
        _certify(self.bundle, self.key)
        self._config = {
            "listenAddress": f"{_HOST}:{ports[0]}",
            "managementListenAddress": f"{_HOST}:{ports[1]}",
            "certificate": str(self.bundle),
            "privateKey": str(self.key),
            "tlsPort": 1,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": False,
            "certificateValidityPeriod": VALID_SECONDS,
        }

    def start(
        self, http_port: int, *, config: Mapping[str, object] | None = None, **environment: str
    ) -> None:
        """It finds all names at ``http_port``. ``environment`` as in pebble's manual."""
        path = self._root / "pebble.json"
        path.write_text(
            json.dumps({"pebble": {**self._config, "httpPort": http_port, **(config or {})}})
        )
        words = ["pebble", "-config", str(path), "-dnsserver", str(self.names.address)]
        usual = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0"}
        with (self._root / "pebble.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*words, "-strict"],
                env={**os.environ, **usual, **environment},
                stdout=log,
                stderr=log,
            )
        assert until(self._answers, _START_SECONDS), (self._root / "pebble.log").read_text()

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def root_pem(self) -> str:
        """The certificate under which it signs."""
        return self._get(f"{self._management}/roots/0").decode()

    def _answers(self) -> bool:
        try:
            return bool(self._get(self.directory))
        except OSError:
            return False

    def _get(self, url: str) -> bytes:
        trusted = ssl.create_default_context(cafile=str(self.bundle))
        with urllib.request.urlopen(url, timeout=10, context=trusted) as answer:
            body: bytes = answer.read()
            return body


@contextmanager
def name_server(ports: list[int]) -> Iterator[NameServer]:
    """Skips the test where there is no pebble."""
    for program in ("pebble", "pebble-challtestsrv"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is missing: apt install pebble")
    words = ["pebble-challtestsrv", "-http01", "", "-https01", "", "-tlsalpn01", ""]
    management = f"{_HOST}:{ports[1]}"
    words += ["-dns01", f"{_HOST}:{ports[0]}", "-management", management]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    names = NameServer(Address(_HOST, ports[0]), f"http://{management}")

    def told() -> bool:
        try:
            names.lead_unknown(_HOST)
        except OSError:
            return False
        return True

    try:
        assert until(told, _START_SECONDS)
        yield names
    finally:
        process.kill()
        process.wait()


@contextmanager
def certificate_authority(root: Path, ports: list[int]) -> Iterator[Pebble]:
    """A pebble that is still to be started; four free ``ports`` are its own."""
    with ExitStack() as stack:
        names = stack.enter_context(name_server(ports[2:4]))
        pebble = Pebble(root, ports[:2], names)
        stack.callback(pebble.stop)
        yield pebble


def _certify(certificate: Path, key: Path) -> None:
    """A certificate for the loopback address that signs itself, as Debian ships none."""
    secret, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pebble of a test")])
    made = (
        x509.CertificateBuilder(name, name, secret.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(_HOST))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(secret, hashes.SHA256())
    )
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        secret.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
