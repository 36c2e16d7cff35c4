"""Connections to Docker are shared by calls, and by no stream: a daemon of a few answers counts."""

import json
import socketserver
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from pushdeploy.engine.docker import DockerEngine

_VERSION = {"ApiVersion": "1.41", "Version": "20.10"}


class Handler(BaseHTTPRequestHandler):
    """Says its version, has no image, and its archives are two chunks."""

    protocol_version = "HTTP/1.1"
    server: "Daemon"

    def do_GET(self) -> None:
        if self.path.endswith("/archive?path=%2Fapp"):
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            self.wfile.write(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")
            return
        if "/slow/" in self.path:
            self.server.asked_slowly.set()
            self.server.may_answer.wait(10)
        known = self.path.endswith("/version")
        body = json.dumps(_VERSION if known else {"message": "no such image"}).encode()
        self.send_response(200 if known else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self) -> str:
        return "a client"

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


class Daemon(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), Handler)
        self.connections = 0
        self.asked_slowly = threading.Event()
        self.may_answer = threading.Event()

    def verify_request(self, request: object, client_address: object) -> bool:
        self.connections += 1
        return True


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    with Daemon(tmp_path / "sock") as daemon:
        threading.Thread(target=daemon.serve_forever, daemon=True).start()
        yield daemon
        daemon.shutdown()


@pytest.fixture
def engine(daemon: Daemon) -> Iterator[DockerEngine]:
    with DockerEngine("test", f"unix://{daemon.server_address!s}") as engine:
        engine.version()
        yield engine


def _calls(engine: DockerEngine) -> None:
    for name in ("a", "b", "c"):
        assert engine.image(name) is None


def test_calls_about_different_things_share_one_connection(
    daemon: Daemon, engine: DockerEngine
) -> None:
    before = daemon.connections
    _calls(engine)
    assert daemon.connections == before


def test_a_stream_that_is_over_hangs_up_on_nobody_else(
    daemon: Daemon, engine: DockerEngine
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with engine.get_archive("a" * 12, "/app") as chunks:
            assert b"".join(chunks) == b"onetwo"
            asked = pool.submit(engine.image, "slow")
            assert daemon.asked_slowly.wait(10)
        daemon.may_answer.set()
        assert asked.result() is None


def test_a_daemon_that_has_hung_up_is_asked_anew(daemon: Daemon, engine: DockerEngine) -> None:
    Handler.protocol_version = "HTTP/1.0"  # the daemon ends each connection from now on
    try:
        _calls(engine)
        _calls(engine)
    finally:
        Handler.protocol_version = "HTTP/1.1"
