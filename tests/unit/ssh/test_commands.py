"""What a person with OpenSSH gets: output, exit codes, input, several sessions at a time."""

import hashlib
import logging
import os
import re
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from pushdeploy.ssh.packetizer import LimitedPacketizer
from tests.unit.ssh.host import DEADLINE_SECONDS, Host, Serve, make_key, until


def test_command_prints_on_both_streams_and_its_exit_code_arrives(host: Host) -> None:
    done = host.ssh("exit 7")
    assert (done.returncode, done.stdout, done.stderr) == (7, b"", b"leaving\n")


def test_login_without_a_command_gets_help_with_and_without_a_terminal(host: Host) -> None:
    assert host.ssh("-T").stdout == b"try: help\n"
    assert host.ssh(options=["-tt"]).stdout == b"try: help\r\n"


def test_any_user_name_is_welcome_and_the_key_says_who_it_is(host: Host) -> None:
    arguments = [part.replace("deploy@", "git@") for part in host.arguments()]
    done = subprocess.run([*arguments, "whoami"], capture_output=True, check=True, timeout=20)
    assert done.stdout == b"laptop None\n"


def test_stranger_is_refused(host: Host, tmp_path: Path) -> None:
    make_key(tmp_path / "stranger")
    arguments = [
        part.replace(str(host.key), str(tmp_path / "stranger")) for part in host.arguments()
    ]
    done = subprocess.run([*arguments, "whoami"], capture_output=True, check=False, timeout=20)
    assert done.returncode == 255
    assert b"Permission denied (publickey)" in done.stderr


def test_keys_that_are_not_authorized_may_be_offered_before_the_right_one(
    serve: Serve, tmp_path: Path
) -> None:
    first = make_key(tmp_path / "offered")
    other = make_key(tmp_path / "rsa", "-t", "rsa", "-b", "2048")
    host = serve()
    offers = ["-i", str(tmp_path / first.name), "-i", str(tmp_path / other.name)]
    assert host.ssh("whoami", options=offers).stdout == b"laptop None\n"


@pytest.mark.parametrize(
    "kind",
    [("-t", "rsa", "-b", "3072"), ("-t", "ecdsa", "-b", "256"), ("-t", "ecdsa", "-b", "521")],
)
def test_other_kinds_of_keys_log_in(serve: Serve, tmp_path: Path, kind: tuple[str, ...]) -> None:
    key = make_key(tmp_path / "desktop", *kind)
    host = serve(key)
    arguments = [
        part.replace(str(host.key), str(tmp_path / "desktop")) for part in host.arguments()
    ]
    done = subprocess.run([*arguments, "whoami"], capture_output=True, check=True, timeout=20)
    assert done.stdout == b"desktop None\n"


def test_certificate_in_front_of_the_key_is_passed_over(serve: Serve, tmp_path: Path) -> None:
    key = make_key(tmp_path / "signed")
    make_key(tmp_path / "authority")
    authority = str(tmp_path / "authority")
    sign = [
        "ssh-keygen",
        "-q",
        "-s",
        authority,
        "-I",
        "me",
        "-n",
        "deploy",
        f"{tmp_path}/signed.pub",
    ]
    subprocess.run(sign, check=True)
    host = serve(key)
    done = host.ssh("whoami", options=["-i", str(tmp_path / "signed")])
    assert done.stdout == b"signed None\n"


def test_aead_cipher_is_negotiated_and_others_only_by_choice(serve: Serve) -> None:
    done = serve().ssh("whoami", options=["-v"])
    assert b"cipher: aes128-gcm@openssh.com" in done.stderr
    refused = serve().ssh("whoami", options=["-c", "aes128-ctr"])
    assert b"no matching cipher found" in refused.stderr
    assert serve(ciphers="all").ssh("whoami", options=["-c", "aes128-ctr"]).returncode == 0


def test_large_input_comes_back_unchanged(host: Host) -> None:
    data = os.urandom(1024 * 1024) * 50
    done = host.ssh("cat", stdin=data)
    assert done.returncode == 0
    assert hashlib.sha256(done.stdout).digest() == hashlib.sha256(data).digest()


def test_long_command_line_arrives_whole(host: Host) -> None:
    text = "x" * 100_000
    assert host.ssh(f"echo {text}").stdout == text.encode() + b"\n"


def test_git_services_are_recognised_however_they_are_written(host: Host) -> None:
    for command in (
        "git-receive-pack 'app'",
        "git receive-pack '/my app.git'",
        "git-upload-pack app",
        "git-upload-archive 'x'",
    ):
        assert host.ssh(command).returncode == 0
    assert host.commands.git == [
        ("git-receive-pack", "app"),
        ("git-receive-pack", "/my app.git"),
        ("git-upload-pack", "app"),
        ("git-upload-archive", "x"),
    ]


def test_git_gets_clean_bytes_even_in_a_terminal(host: Host) -> None:
    assert host.ssh("git-upload-pack app", options=["-tt"]).stdout == b"0000\n"


def test_other_git_commands_are_ordinary_commands(host: Host) -> None:
    done = host.ssh("git gc 'app'")
    assert (done.returncode, done.stderr) == (127, b" !     no command 'git'\n")


def test_bug_in_a_command_shows_an_id_that_is_in_the_log(
    host: Host, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        done = host.ssh("bug hunter2")
    assert done.returncode == 70
    found = re.search(rb"under ([0-9a-f]{8})\n$", done.stderr)
    assert found is not None
    assert found[1].decode() in caplog.text
    assert "RuntimeError" in caplog.text
    assert "command=bug\n" in caplog.text


def test_environment_is_ignored_without_a_complaint(host: Host) -> None:
    done = host.ssh("whoami", options=["-o", "SetEnv=GIT_PROTOCOL=version=2 LANG=C"])
    assert (done.returncode, done.stderr) == (0, b"")


def test_forwarding_is_refused_and_the_command_still_runs(host: Host) -> None:
    done = host.ssh("whoami", options=["-X", "-A", "-R", "0:127.0.0.1:9"])
    assert done.stdout == b"laptop None\n"
    assert b"remote port forwarding failed" in done.stderr
    through = host.ssh(options=["-W", "127.0.0.1:22"])
    assert b"administratively prohibited" in through.stderr


def test_subsystems_are_refused(host: Host) -> None:
    done = host.ssh("sftp", options=["-s"])
    assert b"subsystem request failed" in done.stderr


@contextmanager
def master(host: Host, tmp_path: Path) -> Iterator[list[str]]:
    """The options of clients that share one connection, which is open while inside."""
    shared = ["-o", f"ControlPath={tmp_path / 'mux'}"]
    with host.started(options=["-M", "-N", *shared]):
        until((tmp_path / "mux").exists)
        yield shared


def test_thirty_sessions_share_one_connection(host: Host, tmp_path: Path) -> None:
    with master(host, tmp_path) as shared, ThreadPoolExecutor(30) as pool:
        results = list(
            pool.map(
                lambda number: host.ssh("cat", options=shared, stdin=b"%d" % number), range(30)
            )
        )
    assert [done.stdout for done in results] == [b"%d" % number for number in range(30)]
    assert [done.returncode for done in results] == [0] * 30


def test_ending_one_shared_session_cancels_that_one_only(host: Host, tmp_path: Path) -> None:
    host.commands.expect("one")
    host.commands.expect("other")
    with (
        master(host, tmp_path) as shared,
        host.started("wait one", options=shared) as one,
        host.started("wait other", options=shared),
    ):
        assert host.commands.begun["one"].wait(20)
        assert host.commands.begun["other"].wait(20)
        one.kill()
        assert host.commands.cancelled["one"].wait(DEADLINE_SECONDS)
        assert host.ssh("whoami", options=shared).returncode == 0
        assert not host.commands.cancelled["other"].is_set()
    assert host.commands.cancelled["other"].wait(DEADLINE_SECONDS)


def test_keys_are_renewed_in_the_middle_of_a_transfer(host: Host) -> None:
    data = os.urandom(1024 * 1024) * 8
    done = host.ssh("cat", options=["-o", "RekeyLimit=1M"], stdin=data)
    assert done.stdout == data


def test_server_renews_keys_while_sessions_come_and_go(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LimitedPacketizer, "REKEY_BYTES", 300_000)
    with master(host, tmp_path) as shared, ThreadPoolExecutor(4) as pool:
        pours = [pool.submit(host.ssh, "pour 5", options=shared) for _ in range(2)]
        visits = [pool.submit(host.ssh, "whoami", options=shared) for _ in range(60)]
        assert [pour.result().returncode for pour in pours] == [0, 0]
        assert [visit.result().stdout for visit in visits] == [b"laptop None\n"] * 60
