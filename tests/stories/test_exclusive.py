"""An app with a disk goes over from one version to the next: one writer at a time, and a failure
leaves its data as it was."""

import subprocess
import threading
from collections.abc import Iterator

import pytest

from tests.stories.conftest import MakeRepository
from tests.stories.harness import Answer, Server, wait_until
from tests.stories.means import run_checked
from tests.stories.tally import Clients, Tally

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def live_tally(mortal_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Tally:
    return Tally.live(mortal_server, tmp_path_factory.mktemp("tally") / "tally", "tally")


@pytest.fixture
def tally(live_tally: Tally, mortal: Server) -> Iterator[Tally]:
    """The one app of these stories, whatever the story before has done to it."""
    with live_tally.at_rest():
        yield live_tally


def test_two_hundred_writers_wait_for_one_version_to_take_over_from_another(tally: Tally) -> None:
    old, new = tally.version, tally.change("add")

    with Clients(tally, 200) as clients:
        clients.wait_for_answers(200)
        pushed = tally.repository.push(check=True)
        clients.wait_for_answers(200)

    assert clients.lost == []
    assert clients.versions == {old, new}
    tally.assert_serves(new, list(clients.acknowledged))
    assert "cut-over: exclusive (it has a disk" in pushed.stderr
    assert "requests were held for" in pushed.stderr
    assert pushed.stderr.count("Making web.1 ready") == 1
    info = tally.server.record(f"releases:info {tally.app}")
    assert (info["cut_over"], info["snapshot"] is not None) == ("exclusive", True)


def test_a_restart_is_waited_for_too(tally: Tally) -> None:
    version, tasks = tally.version, tally.containers("task")

    with Clients(tally, 20) as clients:
        clients.wait_for_answers(50)
        tally.server.ssh(f"ps:restart {tally.app}", check=True)
        clients.wait_for_answers(50)

    assert clients.lost == []
    tally.assert_serves(version, list(clients.acknowledged))
    assert tally.containers("task") != tasks


def test_a_migration_that_deletes_and_fails_leaves_data_and_version(tally: Tally) -> None:
    old, release = tally.version, tally.release
    tally.add("before")
    tally.change("delete and fail")

    pushed = tally.repository.push()

    assert pushed.returncode != 0
    assert f"{release} (" in pushed.stderr
    assert "goes on serving; the data is as it was before" in pushed.stderr
    tally.assert_serves(old, ["before"])
    assert tally.last()["status"] == "failed"
    tally.add("after")
    assert tally.notes == ["before", "after"]


def test_a_version_that_does_not_boot_leaves_data_and_version(tally: Tally) -> None:
    old = tally.version
    tally.add("before")
    tally.change("delete", FAIL_BOOT="yes")

    pushed = tally.repository.push()

    assert pushed.returncode != 0
    assert "web: it does not start" in pushed.stderr
    tally.assert_serves(old, ["before"])


def test_a_migration_that_is_killed_half_way_leaves_data_and_version(tally: Tally) -> None:
    old = tally.version
    tally.add("before")
    tally.change("delete")
    tally.gate()
    push = tally.repository.start_push()
    tally.at_gate()

    [command] = tally.containers("once")
    subprocess.run(["docker", "kill", "--signal=KILL", command], check=True, capture_output=True)

    assert push.end() != 0
    tally.assert_serves(old, ["before"])


def test_new_config_whose_release_fails_puts_data_and_config_back(tally: Tally) -> None:
    version, release = tally.version, tally.release
    tally.add("before")

    told = tally.server.ssh(f"config:set {tally.app} MIGRATION='delete and fail'")

    assert told.returncode != 0
    assert f"config and disks are as in {release}; the data is as it was before" in told.stderr
    assert tally.server.ssh(f"config:get {tally.app} MIGRATION").returncode == 1
    tally.assert_serves(version, ["before"])


def test_a_first_version_whose_migration_fails_leaves_the_data_of_the_one_before(
    tally: Tally, repo: MakeRepository
) -> None:
    tally.add("of old")
    heir = Tally(tally.server, repo("tally", on=tally.server))
    heir.disk.parent.mkdir()
    run_checked(["cp", "-a", str(tally.disk), str(heir.disk)], cwd=tally.server.root)
    tally.server.ssh(f"apps:create {heir.app}", check=True)
    tally.server.ssh(f"disks:attach {heir.app} data /data", check=True)
    heir.change("delete and fail")

    pushed = heir.repository.push()

    assert pushed.returncode != 0
    assert "one version at a time writes there): nothing serves yet" in pushed.stderr
    assert "nothing was live before; its slug is kept; the data is as it was" in pushed.stderr
    assert heir.repository.remote_main == ""
    version = heir.change("add")
    heir.repository.push(check=True)
    heir.assert_serves(version, ["of old"])


def test_a_promotion_into_an_app_with_a_disk_loses_no_line_of_it(
    tally: Tally, repo: MakeRepository
) -> None:
    shop = Tally(tally.server, repo("tally", on=tally.server))
    tally.server.ssh(f"apps:create {shop.app}", check=True)
    tally.server.ssh(f"disks:attach {shop.app} data /data", check=True)
    tally.server.ssh(f"pipelines:create {shop.app}", check=True)
    tally.server.ssh(f"pipelines:add {shop.app} {tally.app} --stage staging", check=True)
    tally.server.ssh(f"pipelines:add {shop.app} {shop.app} --stage production", check=True)
    tally.server.ssh(f"pipelines:promote {tally.app}", check=True)
    old, new = tally.version, tally.change("add")
    tally.repository.push(check=True)

    with Clients(shop, 20) as clients:
        clients.wait_for_answers(50)
        promoted = tally.server.ssh(f"pipelines:promote {tally.app}", check=True)
        clients.wait_for_answers(50)

    assert clients.lost == []
    assert clients.versions == {old, new}
    shop.assert_serves(new, list(clients.acknowledged))
    assert "requests were held for" in promoted.stdout
    assert tally.notes == []
    tally.server.ssh(f"pipelines:destroy {shop.app}", check=True)


def test_ps_and_info_say_since_when_requests_are_held(tally: Tally) -> None:
    tally.change()
    gate = tally.gate()
    push = tally.repository.start_push()
    tally.at_gate()

    shown = tally.server.ssh(f"ps {tally.app}", check=True)
    info = tally.server.record(f"apps:info {tally.app}")
    refused = tally.server.ssh(f"run {tally.app} true")
    gate.unlink()

    assert "requests are held since" in shown.stderr
    assert info["requests_held_since"]
    assert (refused.returncode, "for itself" in refused.stderr) == (75, True)
    assert push.end() == 0
    assert tally.server.record(f"apps:info {tally.app}")["requests_held_since"] is None


def test_a_release_waits_for_no_shell_that_writes_but_says_which_one(tally: Tally) -> None:
    new = tally.change()
    shell = tally.server.watch_ssh(f"run {tally.app} 'echo ready; sleep 1000'")
    shell.wait_for("ready")

    pushed = tally.repository.push()
    said = next(line for line in pushed.stderr.splitlines() if "run." in line)
    name = said.partition("run.")[2][:4]
    tally.server.ssh(f"ps:stop {tally.app} run.{name}", check=True)

    assert pushed.returncode != 0
    assert shell.end() != 0
    tally.server.ssh(f"releases:retry {tally.app}", check=True)
    assert tally.version == new


def test_a_writer_that_ignores_sigterm_is_killed_and_loses_nothing(tally: Tally) -> None:
    tally.server.ssh(f"config:set {tally.app} STUBBORN=1", check=True)
    tally.server.ssh(f"apps:set {tally.app} stop-grace=1s", check=True)
    tally.add("before")
    new = tally.change()

    tally.repository.push(check=True)

    tally.assert_serves(new, ["before"])
    tally.server.ssh(f"config:unset {tally.app} STUBBORN", check=True)
    tally.server.ssh(f"apps:set {tally.app} stop-grace=", check=True)


def test_overlap_takes_a_snapshot_and_names_it_when_it_fails(tally: Tally) -> None:
    tally.server.ssh(f"disks:set {tally.app} cutover=overlap", check=True)
    old = tally.version
    tally.add("before")
    tally.change("delete and fail")

    pushed = tally.repository.push()

    assert pushed.returncode != 0
    assert "the data was not put back" in pushed.stderr
    restore = pushed.stderr.partition(f"disks:restore {tally.app} ")[2].split()[0]
    assert tally.notes == []
    tally.server.ssh(f"disks:restore {tally.app} {restore} --force", check=True)
    assert (tally.notes, tally.version) == (["before"], old)
    tally.server.ssh(f"disks:set {tally.app} cutover=", check=True)
    (tally.disk / "overlapped").unlink(missing_ok=True)


def test_a_server_killed_in_a_migration_puts_the_data_back(tally: Tally) -> None:
    old = tally.version
    tally.add("before")
    tally.change("delete")
    gate = tally.gate()
    push = tally.repository.start_push()
    tally.at_gate()

    tally.server.kill()
    tally.server.start()
    assert push.end() != 0
    gate.unlink()

    wait_until(lambda: tally.server.get(tally.app).status == 200, 60, tally.server.log)
    tally.assert_serves(old, ["before"])
    assert tally.last()["status"] == "failed"


def test_requests_wait_while_a_killed_server_starts_regression(tally: Tally) -> None:
    old, answers = tally.version, list[Answer]()
    tally.add("before")
    tally.change("delete")
    push = tally.repository.start_push()
    push.wait_for("Stopping")
    ask = threading.Thread(target=lambda: answers.append(tally.server.get(tally.app, "/notes")))
    ask.start()

    tally.server.kill()
    run_checked(["docker", "rm", "-f", *tally.containers("task")], cwd=tally.server.root)
    tally.server.start()
    ask.join(60)

    assert [(answer.status, answer.body) for answer in answers] == [(200, f"before\n{old}\n")]
    assert push.end() != 0
    tally.assert_serves(old, ["before"])


def test_a_server_killed_when_the_release_is_live_leaves_it_one_writer_regression(
    tally: Tally,
) -> None:
    tally.add("before")
    new = tally.change()
    push = tally.repository.start_push()
    push.wait_for("Switching traffic")

    tally.server.kill()
    tally.server.start()
    push.end()

    wait_until(lambda: len(tally.containers("task")) == 1, 60, tally.server.log)
    tally.assert_serves(new, ["before"])


def test_a_migration_without_snapshots_stays_alone_after_a_kill_regression(tally: Tally) -> None:
    old, answers = tally.version, list[Answer]()
    tally.server.ssh(f"disks:set {tally.app} data snapshots=off", check=True)
    tally.change()
    gate = tally.gate()
    push = tally.repository.start_push()
    tally.at_gate()

    tally.server.kill()
    tally.server.start()
    assert push.end() != 0
    ask = threading.Thread(target=lambda: answers.append(tally.server.get(tally.app)))
    ask.start()
    ask.join(4)
    waited = ask.is_alive()
    gate.unlink()
    ask.join(60)
    tally.server.ssh(f"disks:set {tally.app} data snapshots=on", check=True)

    assert waited
    assert [answer.status for answer in answers] == [200]
    tally.assert_serves(old, [])


def test_rollback_with_its_disk_goes_back_in_time_and_can_be_undone(tally: Tally) -> None:
    old, release = tally.version, tally.release
    tally.add("before")
    tally.change("delete")
    tally.repository.push(check=True)
    tally.add("after")

    rollback = f"releases:rollback {tally.app} {release} --with-disk"
    asked = tally.server.ssh(rollback)
    assert (asked.returncode, "is lost" in asked.stdout) == (1, True)
    assert tally.notes == ["after"]
    back = tally.server.ssh(f"{rollback} --force", check=True)

    assert (tally.notes, tally.version) == (["before"], old)
    undo = back.stdout.partition("disks:restore ")[2].split()
    tally.server.ssh(f"disks:restore {undo[0]} {undo[1]} --force", check=True)
    assert tally.notes == ["after"]


def test_disks_restore_is_a_release_and_the_page_of_snapshots_shows_it(tally: Tally) -> None:
    tally.add("before")
    taken = tally.server.record(f"disks:snapshot {tally.app} --note 'before lunch'")
    tally.add("after")

    restored = tally.server.ssh(
        f"disks:restore {tally.app} {taken['snapshot']} --force", check=True
    )

    assert tally.notes == ["before"]
    assert "requests were held for" in restored.stdout
    assert tally.last()["reason"] == "restore"
    rows = tally.server.json(f"disks:snapshots {tally.app}")
    assert "before lunch" in [row["description"] for row in rows]
