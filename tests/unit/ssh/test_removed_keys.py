"""A key that is removed is good for nothing more, whatever its connections have going on."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import paramiko
import pytest

from pushdeploy.domain.errors import BackendDown
from pushdeploy.domain.names import KeyName
from tests.unit.ssh.host import DEADLINE_SECONDS, Host, logged_in, make_key, until


@contextmanager
def master(host: Host, place: Path) -> Iterator[Callable[..., subprocess.CompletedProcess[bytes]]]:
    """OpenSSH with one connection for many commands; gives what runs one over it."""
    control = ["-o", f"ControlPath={place / 'c'}"]
    with host.started("-N", options=["-M", *control]):
        until((place / "c").exists)
        yield lambda *command, options=(): host.ssh(*command, options=[*control, *options])


def remove_all(host: Host) -> None:
    host.owners.clear()


def give_the_name_to_another_key(host: Host) -> None:
    (name,) = host.owners.values()
    host.owners.clear()
    host.owners["ssh-ed25519", "AAAAother"] = name


def rename(host: Host) -> None:
    (key,) = host.owners
    host.owners[key] = KeyName("desktop")


@pytest.mark.parametrize("change", [remove_all, give_the_name_to_another_key, rename])
@pytest.mark.parametrize(
    "asked",
    [
        ["echo hello"],
        ["git-upload-pack 'shop'"],
        ["git receive-pack 'shop'"],
        ["git-upload-archive 'shop'"],
        [],
    ],
    ids=lambda asked: "shell" if not asked else asked[0].split()[0],
)
def test_every_kind_of_request_asks_anew(
    host: Host, tmp_path: Path, change: Callable[[Host], None], asked: list[str]
) -> None:
    with master(host, tmp_path) as ssh:
        assert ssh("whoami").stdout == b"laptop None\n"
        change(host)
        refused = ssh(*asked)
        assert refused.returncode != 0
        assert refused.stdout == b""
        assert host.commands.git == []
        assert ssh(*asked, options=["-tt"]).returncode != 0


def test_a_session_that_was_opened_before_is_refused_its_command(host: Host) -> None:
    with logged_in(host) as transport:
        session = transport.open_session()
        host.owners.clear()
        session.exec_command("echo hello")
        assert session.makefile_stderr().read() == (
            b" !     the key laptop may not use this server any more\n !     ask for a new one\n"
        )
        assert session.recv_exit_status() == 1
        until(lambda: not transport.is_active())


def test_what_goes_on_is_cancelled_and_the_connection_is_closed(host: Host) -> None:
    host.commands.expect("log")
    with host.started("wait log") as client:
        assert host.commands.begun["log"].wait(DEADLINE_SECONDS)
        host.owners.clear()
        _, errors = client.communicate(timeout=DEADLINE_SECONDS)
    assert client.returncode in {130, 255}, errors
    until(lambda: "log" in host.commands.reasons)
    assert "the key laptop may not use this server any more" in host.commands.reasons["log"]


def test_an_answer_that_comes_after_the_removal_is_not_read(host: Host) -> None:
    host.commands.expect("destroy")
    with logged_in(host) as transport:
        session = transport.open_session()
        session.exec_command("ask destroy")
        assert host.commands.begun["destroy"].wait(DEADLINE_SECONDS)
        host.owners.clear()
        until(lambda: "destroy" in host.commands.reasons)
    assert host.commands.reasons["destroy"] == ""


def test_what_is_past_its_point_of_no_return_goes_on_to_its_end(host: Host) -> None:
    host.commands.expect("cut-over")
    with host.started("finish cut-over") as client:
        assert host.commands.begun["cut-over"].wait(DEADLINE_SECONDS)
        host.owners.clear()
        assert client.wait(DEADLINE_SECONDS) == 255, "the connection is closed meanwhile"
        assert "cut-over" not in host.commands.reasons
        host.commands.finishing["cut-over"].set()
        until(lambda: "cut-over" in host.commands.reasons)
    assert host.commands.reasons["cut-over"] == "finished"


def test_the_point_of_no_return_is_not_passed_by_a_removed_key(host: Host) -> None:
    """Also where nobody has come round to closing the connection."""
    host.commands.expect("late")
    host.server._revocations.stop()
    with logged_in(host) as transport:
        session = transport.open_session()
        session.exec_command("late late")
        assert host.commands.begun["late"].wait(DEADLINE_SECONDS)
        host.owners.clear()
        host.commands.finishing["late"].set()
        assert session.recv_exit_status() == 1


def test_other_keys_are_left_alone(serve: Callable[..., Host], tmp_path: Path) -> None:
    key = make_key(tmp_path / "desktop")
    host = serve(key)
    host.commands.expect("mine")
    host.commands.expect("theirs")
    with logged_in(host) as transport, host.started("wait mine"):
        assert host.commands.begun["mine"].wait(DEADLINE_SECONDS)
        with paramiko.Transport(host.connect()) as other:
            other.start_client(timeout=DEADLINE_SECONDS)
            private = paramiko.Ed25519Key.from_private_key_file(str(tmp_path / "desktop"))
            other.auth_publickey("deploy", private)
            other.open_session().exec_command("wait theirs")
            assert host.commands.begun["theirs"].wait(DEADLINE_SECONDS)
            del host.owners[key.kind, key.base64]
            assert host.commands.cancelled["theirs"].wait(DEADLINE_SECONDS)
        assert not host.commands.cancelled["mine"].is_set()
        session = transport.open_session()
        session.exec_command("whoami")
        assert session.recv_exit_status() == 0
        host.commands.cancelled["mine"].set()


def test_while_keys_cannot_be_looked_up_nothing_new_begins_and_nothing_is_cut(host: Host) -> None:
    def broken(kind: str, encoded: str) -> KeyName | None:
        raise BackendDown("the database cannot be used: disk I/O error", "pushdeploy doctor")

    host.commands.expect("log")
    with logged_in(host) as transport:
        session = transport.open_session()
        session.exec_command("wait log")
        assert host.commands.begun["log"].wait(DEADLINE_SECONDS)
        for watched in list(host.server._revocations._watched):
            watched.connection.owner = broken
        refused = transport.open_session()
        refused.exec_command("whoami")
        assert refused.recv_exit_status() == BackendDown.exit_status
        assert not host.commands.cancelled["log"].is_set()
