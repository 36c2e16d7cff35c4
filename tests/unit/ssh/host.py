"""A server on loopback with commands to try out, and the real OpenSSH client for it."""

import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paramiko

from pushdeploy.access.audit_log import Act, AuditLog
from pushdeploy.commands.session import Session
from pushdeploy.domain.names import KeyName
from pushdeploy.domain.ports.streams import WindowSize
from pushdeploy.domain.public_key import PublicKey
from pushdeploy.settings import Address
from pushdeploy.ssh.keys import load_host_key
from pushdeploy.ssh.server import SshServer

DEADLINE_SECONDS = 20.0


def make_key(path: Path, *arguments: str) -> PublicKey:
    """A new key pair at ``path`` and ``path``.pub; ed25519 unless ssh-keygen is told otherwise."""
    kind = arguments or ("-t", "ed25519")
    subprocess.run(["ssh-keygen", "-q", *kind, "-N", "", "-f", path], check=True)
    return PublicKey.parse(KeyName(path.name), path.with_suffix(".pub").read_text())


def host_key_line(path: Path) -> str:
    """``ssh-ed25519 AAAA…``, as known_hosts wants it after the host's name."""
    key = load_host_key(path)
    return f"{key.get_name()} {key.get_base64()}"


class NoAuditLog(AuditLog):
    """Keeps nothing: for servers without a database."""

    def __init__(self) -> None: ...

    def _write(self, act: Act, by: str, write: Callable[[], object]) -> None: ...


def until(happened: Callable[[], bool], seconds: float = DEADLINE_SECONDS) -> None:
    """For states that nobody announces: looked at again and again until the deadline."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        pause.wait(0.01)


Owners = dict[tuple[str, str], KeyName]
"""The authorized keys of a server: kind and bytes in base64, and whose they are."""


@dataclass
class Commands:
    """What the tests' server can do; remembers what became of sessions."""

    cancelled: dict[str, threading.Event] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    begun: dict[str, threading.Event] = field(default_factory=dict)
    finishing: dict[str, threading.Event] = field(default_factory=dict)
    sizes: list[WindowSize] = field(default_factory=list)
    resized: threading.Condition = field(default_factory=threading.Condition)
    git: list[tuple[str, str]] = field(default_factory=list)

    def expect(self, name: str) -> None:
        self.begun[name] = threading.Event()
        self.cancelled[name] = threading.Event()
        self.finishing[name] = threading.Event()

    def run(self, command: str, session: Session) -> int:
        name, _, argument = command.partition(" ")
        run = getattr(self, f"do_{name or 'help'}", None)
        if run is None:
            session.write_error(f" !     no command {name!r}\n".encode())
            return 127
        result: int = run(argument, session)
        return result

    def run_git(self, service: str, path: str, session: Session) -> int:
        self.git.append((service, path))
        session.write(b"0000\n")
        return 0

    def do_help(self, argument: str, session: Session) -> int:
        session.write(b"try: help\n")
        return 0

    def do_whoami(self, argument: str, session: Session) -> int:
        session.write(f"{session.by} {session.terminal}\n".encode())
        return 0

    def do_exit(self, argument: str, session: Session) -> int:
        session.write_error(b"leaving\n")
        return int(argument)

    def do_echo(self, argument: str, session: Session) -> int:
        session.write(argument.encode() + b"\n")
        return 0

    def do_cat(self, argument: str, session: Session) -> int:
        while data := session.read():
            session.write(data)
        return 0

    def do_bug(self, argument: str, session: Session) -> int:
        raise RuntimeError("the secret inside is " + argument)

    def do_pour(self, argument: str, session: Session) -> int:
        """More than any window holds."""
        for _ in range(int(argument)):
            session.write(bytes(1024 * 1024))
        return 0

    def do_wait(self, argument: str, session: Session) -> int:
        """Until it is cancelled."""
        session.write(b"waiting\n")
        with session.cancellation.stopping(self.cancelled[argument].set):
            self.begun[argument].set()
            assert self.cancelled[argument].wait(DEADLINE_SECONDS)
        self.reasons[argument] = _reason(session)
        return 130

    def do_finish(self, argument: str, session: Session) -> int:
        """Past its point of no return from the beginning; ends when the test lets it."""
        session.cancellation.commit()
        self.begun[argument].set()
        assert self.finishing[argument].wait(DEADLINE_SECONDS)
        self.reasons[argument] = _reason(session) or "finished"
        return 0

    def do_late(self, argument: str, session: Session) -> int:
        """Comes to its point of no return when the test lets it."""
        self.begun[argument].set()
        assert self.finishing[argument].wait(DEADLINE_SECONDS)
        session.cancellation.commit()
        return 0

    def do_ask(self, argument: str, session: Session) -> int:
        """Does what it asks about when the answer is yes."""
        session.write(b"sure?\n")
        self.begun[argument].set()
        self.reasons[argument] = session.read().decode()
        return 0

    def do_keys(self, argument: str, session: Session) -> int:
        """What a raw terminal sends, until q; begins to read when there is something."""
        session.raw_mode()
        session.write(b"ready\n")
        buffer = vars(session)["_input"]
        until(lambda: len(buffer) > 0)
        received = b""
        while b"q" not in received:
            received += session.read()
        session.write(received)
        return 130 if session.cancellation.cancelled else 0

    def do_size(self, argument: str, session: Session) -> int:
        """Shows every size until the client closes its input."""
        session.on_resize(self._remember)
        session.write(b"watching\n")
        while session.read():
            pass
        return 0

    def _remember(self, size: WindowSize) -> None:
        assert threading.current_thread().name.startswith(("ssh command", "ssh events"))
        with self.resized:
            self.sizes.append(size)
            self.resized.notify_all()


def _reason(session: Session) -> str:
    try:
        session.cancellation.check()
    except Exception as error:  # noqa: BLE001 - its text is what is wanted
        return str(error)
    return ""


@dataclass(frozen=True)
class Host:
    """A running server and what a client needs to reach it."""

    address: Address
    server: SshServer
    commands: Commands
    key: Path
    known_hosts: Path
    owners: Owners

    def arguments(self, *options: str) -> list[str]:
        fixed = {
            "UserKnownHostsFile": str(self.known_hosts),
            "IdentitiesOnly": "yes",
            "IdentityAgent": "none",
            "BatchMode": "yes",
        }
        settings = [part for name, value in fixed.items() for part in ("-o", f"{name}={value}")]
        target = ["-p", str(self.address.port), "-i", str(self.key), "deploy@127.0.0.1"]
        return ["ssh", "-F", "/dev/null", *settings, *options, *target]

    def ssh(
        self, *command: str, options: Sequence[str] = (), stdin: bytes = b""
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [*self.arguments(*options), *command],
            input=stdin,
            capture_output=True,
            timeout=60,
            check=False,
        )

    @contextmanager
    def started(
        self, *command: str, options: Sequence[str] = ()
    ) -> Iterator[subprocess.Popen[bytes]]:
        with subprocess.Popen(
            [*self.arguments(*options), *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        ) as process:
            try:
                yield process
            finally:
                process.kill()

    def connect(self) -> socket.socket:
        return socket.create_connection((self.address.host, self.address.port), DEADLINE_SECONDS)


Serve = Callable[..., Host]


@contextmanager
def strange(host: Host, **options: Any) -> Iterator[paramiko.Transport]:
    """A paramiko client that has agreed on keys and has not logged in."""
    transport = paramiko.Transport(host.connect(), **options)
    try:
        transport.start_client(timeout=DEADLINE_SECONDS)
        yield transport
    finally:
        transport.close()
        transport.sock.close()
        if transport.is_alive():
            transport.join(DEADLINE_SECONDS)


@contextmanager
def logged_in(host: Host) -> Iterator[paramiko.Transport]:
    with strange(host) as transport:
        transport.auth_publickey("deploy", paramiko.Ed25519Key.from_private_key_file(str(host.key)))
        yield transport
