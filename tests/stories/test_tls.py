"""https as a person meets it: a certificate is brought by ssh, and browsers are content."""

import json
import subprocess
from pathlib import Path

import pytest

from pushdeploy.settings import Address
from tests.authority import Authority, pem_of, shown_by
from tests.stories.conftest import MakeServer
from tests.stories.harness import DOMAIN, Server, free_ports, wait_until

HERE = Authority()


@pytest.fixture(scope="module")
def secure(make_server: MakeServer) -> Server:
    [port] = free_ports(1)
    return make_server(tls="own", https=f"127.0.0.1:{port}")


def https_port(server: Server) -> int:
    return int(server._settings["https"].rpartition(":")[2])


def ask(server: Server, host: str, root: Path, *words: str) -> str:
    """Status, version and redirect, as curl has them, which trusts our authority alone."""
    root.write_text(pem_of(HERE.root.certificate))
    port = https_port(server)
    resolved = [f"{host}:{port}:127.0.0.1", f"{host}:{server.http_port}:127.0.0.1"]
    options = [word for each in resolved for word in ("--resolve", each)]
    wanted = ["-o", "/dev/null", "-w", "%{http_code} %{http_version} %{redirect_url}"]
    url = [f"https://{host}:{port}/"] if not words else list(words)
    command = ["curl", "-sS", "--noproxy", "*", "-m", "30", "--cacert", str(root)]
    answer = subprocess.run(
        [*command, *options, *wanted, *url], capture_output=True, text=True, check=False
    )
    return (answer.stdout + answer.stderr).strip()


def test_a_certificate_is_brought_shown_swapped_and_survives_the_server(
    secure: Server, tmp_path: Path
) -> None:
    app, root = "vault", tmp_path / "root.pem"
    host, place = f"{app}.{DOMAIN}", Address("127.0.0.1", https_port(secure))
    secure.ssh(f"apps:create {app}", check=True)
    assert "certificate problem" in ask(secure, host, root)
    first, second = HERE.sign(host), HERE.sign(host)

    added = secure.ssh(f"certs:add {app}", input=first.everything.decode(), check=True)

    assert f"{host} is shown by it" in added.stdout
    wait_until(lambda: ask(secure, host, root).startswith("503 2"), 10, lambda: "never shown")
    plain = f"http://{host}:{secure.http_port}/a?b"
    assert ask(secure, host, root, plain) == f"308 1.1 https://{host}:{place.port}/a?b"
    assert secure.ssh(f"url {app}").stdout.strip() == f"https://{host}:{place.port}"
    [row] = json.loads(secure.ssh(f"certs:list {app} --format json").stdout)
    assert (row["kind"], row["state"]) == ("own", "valid")

    secure.ssh(f"certs:add {app}", input=second.everything.decode(), check=True)
    wait_until(lambda: _by_all_workers(place, host) == {second.der}, 15, lambda: "not swapped")
    secure.kill()
    assert shown_by(place, host) == second.der
    (secure.home / "nginx" / "certs" / f"{host}.pem").unlink()
    secure.start()
    assert shown_by(place, host) == second.der

    lines = second.key_text.splitlines()[1:-1]
    assert not any(line in secure.log() for line in lines)
    secure.ssh(f"apps:destroy {app} --force", check=True)
    assert shown_by(place, host) is None


def _by_all_workers(place: Address, host: str) -> set[bytes | None]:
    """Each worker looks at the file by itself; connections go now to one, now to another."""
    return {shown_by(place, host) for _ in range(12)}
