"""A real server on loopback with one authorized key."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pushdeploy.access.audit_log import AuditLog
from pushdeploy.domain.public_key import PublicKey
from pushdeploy.settings import Address
from pushdeploy.ssh.keys import create_host_key
from pushdeploy.ssh.server import SshServer
from tests.unit.ssh.host import Commands, Host, NoAuditLog, Serve, host_key_line, make_key


@pytest.fixture(scope="session")
def client_key(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PublicKey]:
    path = tmp_path_factory.mktemp("client") / "laptop"
    return path, make_key(path)


@pytest.fixture
def serve(tmp_path: Path, client_key: tuple[Path, PublicKey]) -> Iterator[Serve]:
    """Starts servers that differ in their settings, and stops them."""
    servers = []

    def start(*keys: PublicKey, audit_log: AuditLog | None = None, **settings: Any) -> Host:
        path, own = client_key
        owners = {(key.kind, key.base64): key.name for key in (own, *keys)}
        commands = Commands()
        host_key = tmp_path / "host_key"
        create_host_key(host_key)
        server = SshServer(
            Address("127.0.0.1", 0),
            host_key,
            lambda kind, encoded: owners.get((kind, encoded)),
            commands.run,
            commands.run_git,
            audit_log or NoAuditLog(),
            **settings,
        )
        address = server.start()
        servers.append(server)
        known_hosts = tmp_path / "known_hosts"
        known_hosts.write_text(f"[127.0.0.1]:{address.port} {host_key_line(host_key)}\n")
        return Host(address, server, commands, path, known_hosts, owners)

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def host(serve: Serve) -> Host:
    return serve()
