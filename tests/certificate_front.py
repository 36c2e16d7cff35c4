"""A front before a certificate authority, for what pebble cannot do: limits, and renewal times."""

import http.client
import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from tests.certificate_authority import Pebble


@dataclass
class Refusal:
    """The answer to the next ``times`` requests whose path holds ``path``."""

    path: str
    status: int
    code: str
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int = 1


class CertificateFront(ThreadingHTTPServer):
    """Passes on to a pebble what it does not answer itself; ``asked`` are the paths of requests.

    ``window`` is when all certificates should be renewed (RFC 9773); there is no such service
    while it is None. Requests for a path that holds ``closed`` wait for the ``gate`` before they
    are passed on, and say so by ``waiting``.
    """

    daemon_threads = True

    def __init__(self, pebble: Pebble) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pebble.bundle, pebble.key)
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.trusted = ssl.create_default_context(cafile=str(pebble.bundle))
        self.behind = urlsplit(pebble.directory).netloc
        self.asked: list[str] = []
        self.refusals: list[Refusal] = []
        self.window: tuple[datetime, datetime] | None = None
        self.closed, self.gate, self.waiting = "", threading.Event(), threading.Event()
        self.at = f"https://127.0.0.1:{self.server_address[1]}"
        self.directory = f"{self.at}/dir"

    def count(self, part: str) -> int:
        """How many requests were for a path that holds ``part``."""
        return sum(part in path for path in self.asked)

    def refusal(self, path: str) -> Refusal | None:
        found = next((each for each in self.refusals if each.path in path and each.times), None)
        if found:
            found.times -= 1
        return found


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: CertificateFront

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *arguments: object) -> None:
        pass

    def _answer(self) -> None:
        front = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        front.asked.append(self.path)
        if refusal := front.refusal(self.path):
            problem = {"type": f"urn:ietf:params:acme:error:{refusal.code}", "detail": "not now"}
            self._say(refusal.status, refusal.headers, json.dumps(problem).encode())
            return
        if self.path.startswith("/renewal-info/") and front.window:
            start, end = (moment.isoformat() for moment in front.window)
            window = {"suggestedWindow": {"start": start, "end": end}}
            self._say(200, {"Retry-After": "21600"}, json.dumps(window).encode())
            return
        if front.closed and front.closed in self.path:
            front.waiting.set()
            front.gate.wait(60)
        self._pass_on(body)

    def _pass_on(self, body: bytes) -> None:
        front = self.server
        behind = http.client.HTTPSConnection(front.behind, context=front.trusted, timeout=30)
        try:
            behind.request(self.command, self.path, body, dict(self.headers.items()))
            answer = behind.getresponse()
            said = answer.read()
        except OSError:
            self.close_connection = True
            return
        finally:
            behind.close()
        if self.path == "/dir" and front.window:
            said = json.dumps(
                {**json.loads(said), "renewalInfo": f"{front.at}/renewal-info"}
            ).encode()
        kept = ("Content-Type", "Replay-Nonce", "Location", "Link", "Retry-After")
        headers = {name: answer.headers[name] for name in kept if answer.headers[name]}
        self._say(answer.status, headers, said)

    def _say(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def certificate_front(pebble: Pebble) -> Iterator[CertificateFront]:
    with CertificateFront(pebble) as front:
        thread = threading.Thread(target=front.serve_forever, args=[0.01], daemon=True)
        thread.start()
        yield front
        front.shutdown()
        thread.join()
