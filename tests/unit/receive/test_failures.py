"""A push that fails says why, exits 1, moves no ref and leaves nothing behind."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import BuildFailed, ReleaseFailed, UserError
from pushdeploy.domain.ports.output import Output
from pushdeploy.domain.source import Source
from pushdeploy.receive.limits import PackLimits
from pushdeploy.receive.repositories import Repositories
from pushdeploy.receive.service import GitService
from tests.unit.receive.client import Client, files_in, until
from tests.unit.receive.host import APP, DEADLINE_SECONDS, Host, OpenGate, Receiver


def test_failed_build_is_a_rejected_push_with_the_reason(
    client: Client, receiver: Receiver, repositories: Repositories
) -> None:
    first = client.commit(file="1")
    client.git("push", "deploy", "main")
    before = files_in(repositories.path(APP))

    def fail(source: Source, output: Output, cancellation: Cancellation) -> None:
        raise BuildFailed("pip exited with 1", "mend it", log_tail=["No matching distribution"])

    receiver.deploying = fail
    client.commit(file="2")
    status, output = client.run("push", "deploy", "main")

    assert status == 1
    assert "! [remote rejected] main -> main (build failed: pip exited with 1)" in output
    assert "remote:  !         No matching distribution" in output
    assert "remote:  !     mend it" in output
    assert repositories.read(APP, "refs/heads/main") == first
    assert files_in(repositories.path(APP)) == before


def test_failed_first_build_keeps_the_app_that_its_hint_names(
    client: Client, receiver: Receiver, repositories: Repositories
) -> None:
    def fail(source: Source, output: Output, cancellation: Cancellation) -> None:
        raise BuildFailed("no SECRET_KEY", "config:set shop SECRET_KEY=…")

    receiver.deploying = fail
    commit = client.commit()
    status, output = client.run("push", "deploy", "main")

    assert status == 1
    assert "ssh deploy apps:destroy shop removes it" in output
    assert receiver.apps == {APP}

    def refuse(source: Source, output: Output, cancellation: Cancellation) -> None:
        raise UserError("not now")

    receiver.deploying = refuse
    assert "apps:destroy" not in client.run("push", "deploy", "main")[1]
    assert receiver.apps == {APP}, "a later push that is refused does not take it away either"

    receiver.deploying = None
    client.git("push", "deploy", "main")
    assert receiver.deployed == [("refs/heads/main", commit)]


def test_first_push_that_is_refused_before_a_build_leaves_no_app_and_no_repository(
    client: Client, receiver: Receiver, repositories: Repositories
) -> None:
    def refuse(source: Source, output: Output, cancellation: Cancellation) -> None:
        raise UserError("the app is locked")

    receiver.deploying = refuse
    client.commit()

    assert client.run("push", "deploy", "main")[0] == 1

    assert receiver.apps == set()
    assert not repositories.exists(APP)


def test_failed_first_release_keeps_the_app_and_what_was_built(
    client: Client, receiver: Receiver, repositories: Repositories
) -> None:
    def fail(source: Source, output: Output, cancellation: Cancellation) -> None:
        source.reader.keep()
        raise ReleaseFailed("migrate exited\nwith 1")

    receiver.deploying = fail
    commit = client.commit()
    status, output = client.run("push", "deploy", "main")

    assert status == 1
    assert "(release failed: migrate exited with 1)" in output
    assert receiver.apps == {APP}
    assert repositories.read(APP, "refs/heads/main") is None
    assert repositories.source(APP, commit) is not None

    receiver.deploying = None
    client.git("push", "deploy", "main")
    assert receiver.deployed == [("refs/heads/main", commit)]


def test_an_app_that_was_there_before_survives_a_failed_first_push(
    client: Client, receiver: Receiver, repositories: Repositories
) -> None:
    def fail(source: Source, output: Output, cancellation: Cancellation) -> None:
        raise BuildFailed("no builder")

    repositories.ensure(APP)
    receiver.open(APP)
    receiver.deploying = fail
    client.commit()
    client.run("push", "deploy", "main")

    assert receiver.apps == {APP}
    assert repositories.exists(APP)


def test_a_receiver_that_refuses_the_app_is_heard(
    client: Client, receiver: Receiver, repositories: Repositories
) -> None:
    receiver.refuses = "alice may not push to shop"
    client.commit()

    status, output = client.run("push", "deploy", "main")

    assert status == 128
    assert "fatal: remote error: alice may not push to shop" in output
    assert not repositories.exists(APP)


def test_unforeseen_errors_go_to_the_log_and_their_id_to_the_client(
    client: Client, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(source: Source, output: Output, cancellation: Cancellation) -> None:
        raise ZeroDivisionError("in the flow")

    receiver.deploying = fail
    client.commit()
    status, output = client.run("push", "deploy", "main")

    assert status == 1
    shown = output.partition("see the server's log under id ")[2][:8]
    assert "[remote rejected] main -> main (internal error, see" in output
    assert f"id={shown}" in caplog.text
    assert "ZeroDivisionError: in the flow" in caplog.text


def test_a_deploy_whose_ref_went_elsewhere_meanwhile_is_reported_as_lost(
    client: Client, receiver: Receiver, repositories: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = client.commit(file="1")
    client.git("push", "deploy", "main")
    second = client.commit(file="2")
    client.git("push", "deploy", "main:side")

    def somebody_else_moves(*_: object) -> None:
        assert repositories.move(APP, "refs/heads/main", first, second)

    monkeypatch.setattr(receiver, "deploy", somebody_else_moves)
    client.commit(file="3")
    status, output = client.run("push", "deploy", "main")

    assert status == 1
    assert "(fetch first: the ref has moved meanwhile)" in output
    assert repositories.read(APP, "refs/heads/main") == second


def test_a_deploy_that_moves_no_ref_is_not_called_a_success(
    client: Client, receiver: Receiver, repositories: Repositories, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receiver, "deploy", lambda *_: None)
    client.commit()

    status, output = client.run("push", "deploy", "main")

    assert status == 1
    assert "(fetch first: the ref has moved meanwhile)" in output
    assert not repositories.exists(APP)


def test_the_slower_of_two_pushes_at_once_is_told_that_it_lost(
    client: Client,
    new_client: Callable[[str], Client],
    receiver: Receiver,
    repositories: Repositories,
) -> None:
    client.commit(file="1")
    client.git("push", "deploy", "main")
    other = new_client("other")
    other.git("pull", "-q", "deploy", "main")
    both = threading.Barrier(2, timeout=DEADLINE_SECONDS)

    def meet(source: Source, output: Output, cancellation: Cancellation) -> None:
        both.wait()

    receiver.deploying = meet
    client.commit(file="mine")
    other.commit(file="theirs")
    pushes = [one.start("push", "deploy", "main") for one in (client, other)]
    outputs = [push.communicate(timeout=DEADLINE_SECONDS)[0] for push in pushes]

    assert sorted(push.returncode for push in pushes) == [0, 1]
    assert sum("(fetch first: another push was faster)" in output for output in outputs) == 1
    assert sum("main -> main" in output for output in outputs) == 2
    winner = receiver.deployed[-1][1]
    assert repositories.read(APP, "refs/heads/main") == winner
    assert list((repositories.path(APP) / "quarantine").iterdir()) == []


def test_a_stale_branch_beside_the_deploy_is_reported_as_lost(
    client: Client, receiver: Receiver, repositories: Repositories
) -> None:
    first = client.commit(file="1")
    client.git("push", "deploy", "main", "main:side")
    second = client.commit(file="2")
    client.git("push", "deploy", "main:more")
    third = client.commit(file="3")

    def move_side(source: Source, output: Output, cancellation: Cancellation) -> None:
        assert repositories.move(APP, "refs/heads/side", first, second)

    receiver.deploying = move_side
    status, output = client.run("push", "deploy", "main", "main:side")

    assert status == 1
    assert "main -> side (fetch first: the ref has moved meanwhile)" in output
    assert repositories.read(APP, "refs/heads/side") == second
    assert repositories.read(APP, "refs/heads/main") == third


def test_a_killed_client_cancels_the_deploy_and_leaves_nothing(
    client: Client, receiver: Receiver, repositories: Repositories, host: Host
) -> None:
    building, stopped = threading.Event(), threading.Event()

    def build(source: Source, output: Output, cancellation: Cancellation) -> None:
        with cancellation.stopping(stopped.set):
            building.set()
            assert stopped.wait(DEADLINE_SECONDS)
        cancellation.check()

    receiver.deploying = build
    client.commit()
    push = client.start("push", "deploy", "main")
    assert building.wait(DEADLINE_SECONDS)
    os.killpg(push.pid, signal.SIGKILL)
    push.communicate()

    assert stopped.wait(DEADLINE_SECONDS)
    until(lambda: host.finished)
    assert receiver.apps == set()
    assert not repositories.exists(APP)


def test_a_client_killed_in_the_middle_of_its_pack_leaves_nothing(
    client: Client, receiver: Receiver, repositories: Repositories, host: Host
) -> None:
    client.commit(file="1")
    client.git("push", "deploy", "main")
    before = files_in(repositories.path(APP))
    (client.folder / "large").write_bytes(os.urandom(64 * 1024**2))
    client.git("config", "core.compression", "0")
    client.commit()

    push = client.start("push", "deploy", "main")
    quarantine = repositories.path(APP) / "quarantine"
    until(lambda: any(file.stat().st_size > 2**20 for file in quarantine.rglob("tmp_pack_*")))
    os.killpg(push.pid, signal.SIGKILL)
    push.communicate()

    until(lambda: len(host.finished) == 2)
    assert files_in(repositories.path(APP)) == before
    assert receiver.deployed[1:] == []


def test_a_client_whose_pack_is_refused_early_still_reads_why(
    client: Client, repositories: Repositories, receiver: Receiver, tmp_path: Path
) -> None:
    folder = tmp_path / "second"
    folder.mkdir()
    host = Host(
        folder, GitService(repositories, receiver, PackLimits(pack_bytes=2**16), OpenGate())
    )
    heavy = Client(client.folder, host.address)
    (client.folder / "large").write_bytes(os.urandom(16 * 1024**2))
    heavy.commit()

    status, output = heavy.run("push", "deploy", "main")
    host.close()

    assert status == 1
    assert "[remote rejected] main -> main (the pack is refused: pack exceeds maximum" in output
    assert not repositories.exists(APP)


def test_a_silent_deploy_is_kept_alive_with_empty_packets(
    client: Client, repositories: Repositories, receiver: Receiver, tmp_path: Path
) -> None:
    service = GitService(repositories, receiver, PackLimits(), OpenGate(), silence_seconds=0.05)
    folder = tmp_path / "second"
    folder.mkdir()
    host = Host(folder, service)
    impatient = Client(client.folder, host.address)
    traced = tmp_path / "trace"
    traced.touch()

    def build(source: Source, output: Output, cancellation: Cancellation) -> None:
        until(lambda: traced.read_text().count("sideband< \\2\n") >= 2)

    receiver.deploying = build
    receiver.apps.add(APP)
    impatient.commit()
    status, output = impatient.run(
        "-c", f"alias.traced=!GIT_TRACE_PACKET={traced} git push deploy main", "traced"
    )
    host.close()

    assert status == 0, output
    assert "remote:" not in output, "clients print nothing of it"


def test_a_server_that_starts_sweeps_what_a_killed_one_left(repositories: Repositories) -> None:
    repositories.ensure(APP)
    before = files_in(repositories.path(APP))
    path = repositories.path(APP)
    (path / "quarantine" / "0123" / "pack").mkdir(parents=True)
    (path / "quarantine" / "0123" / "pack" / "tmp_pack_x").touch()
    (path / "objects" / "pack" / "tmp_pack_y").touch()
    (path / "refs" / "heads" / "main.lock").touch()

    repositories.sweep()

    assert files_in(path) == before
