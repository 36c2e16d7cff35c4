"""Logins in the audit log, and git: who was let in, who was not, and what they did."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pushdeploy.access.audit_log import AuditLog
from pushdeploy.access.logins import Logins
from pushdeploy.store import AuditEntry, AuditState, Store
from tests.databases import open_store
from tests.unit.ssh.host import Serve, logged_in, make_key, until


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "pushdeploy.sqlite3")
    yield opened
    opened.close()


def rows(store: Store) -> list[AuditEntry]:
    return list(store.audit.list())[::-1]


def test_logins_are_written_down(serve: Serve, store: Store, tmp_path: Path) -> None:
    host = serve(audit_log=AuditLog(store.audit))
    host.ssh("whoami")
    until(lambda: len(rows(store)) == 1)
    assert (rows(store)[0].by, rows(store)[0].command) == ("laptop", "login from 127.0.0.1")

    stranger = make_key(tmp_path / "stranger")
    options = ["-o", "IdentitiesOnly=yes", "-o", "IdentityFile=none"]
    host.key.rename(tmp_path / "away")
    assert host.ssh("whoami", options=["-i", str(tmp_path / "stranger"), *options]).returncode
    (tmp_path / "away").rename(host.key)
    until(lambda: len(rows(store)) == 2)
    refused = rows(store)[1]
    assert (refused.by, refused.exit_status) == ("(nobody)", 1)
    assert refused.command == f"login refused from 127.0.0.1 with {stranger.fingerprint}"


def test_one_who_only_looks_in_leaves_no_row(serve: Serve, store: Store) -> None:
    host = serve(audit_log=AuditLog(store.audit))
    for _ in range(3):
        host.connect().close()
    host.ssh("whoami")
    until(lambda: len(rows(store)) == 1)
    host.server.stop()
    assert [row.by for row in rows(store)] == ["laptop"]


def test_a_flood_of_refused_logins_is_a_row_a_minute(store: Store) -> None:
    logins = Logins(AuditLog(store.audit))
    logins.start()
    logins.refused("192.0.2.1", "SHA256:first")
    until(lambda: len(rows(store)) == 1)
    for number in range(10_000):
        logins.refused(f"192.0.2.{number % 250}", "")
    logins.logged_in("ada", "198.51.100.7")
    until(lambda: len(rows(store)) == 2)
    logins.stop()
    assert [row.command for row in rows(store)] == [
        "login refused from 192.0.2.1 with SHA256:first",
        "login from 198.51.100.7",
        "login refused, 10000 times, last from 192.0.2.249",
    ]


def test_git_is_written_down_before_and_after(serve: Serve, store: Store) -> None:
    host = serve(audit_log=AuditLog(store.audit))
    seen: list[AuditEntry] = []
    run_git = host.commands.run_git

    def watched(service: str, path: str, session: object) -> int:
        seen.extend(row for row in rows(store) if row.command.startswith("git"))
        return 3

    host.server._commands._run_git = watched
    assert host.ssh("git-receive-pack '/shop.git'").returncode == 3
    host.server._commands._run_git = run_git
    assert host.ssh("git-upload-pack 'no such app'").returncode == 0
    (before,) = seen
    assert (before.command, before.state) == ("git-receive-pack /shop.git", AuditState.GOING_ON)
    git = [row for row in rows(store) if row.command.startswith("git")]
    assert [(row.app, row.exit_status) for row in git] == [("shop", 3), (None, 0)]


def test_what_a_removed_key_asks_for_is_written_down(serve: Serve, store: Store) -> None:
    host = serve(audit_log=AuditLog(store.audit))
    with logged_in(host) as transport:
        session = transport.open_session()
        host.owners.clear()
        session.exec_command("config:set shop TOKEN=s3cret")
        assert session.recv_exit_status() == 1
    assert [row.command for row in rows(store) if row.exit_status] == ["config:set …"]
