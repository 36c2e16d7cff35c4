"""An app with a disk goes over from one version to the next: one writer at a time, and a failure
leaves its data as it was."""

import http.client
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.conftest import MakeRepository
from tests.stories.harness import APPS, DOMAIN, Repository, Server, wait_until

pytestmark = pytest.mark.docker


class Tally:
    """An app that counts in SQLite, live, and whoever writes to it."""

    def __init__(self, server: Server, repository: Repository) -> None:
        self.server = server
        self.repository = repository
        self.app = repository.app

    @classmethod
    def live(cls, server: Server, path: Path, app: str) -> "Tally":
        repository = Repository.create(server, APPS / "tally", path, app)
        server.ssh(f"apps:create {app}", check=True)
        server.ssh(f"disks:attach {app} data /data", check=True)
        repository.push(check=True)
        return cls(server, repository)

    @property
    def disk(self) -> Path:
        return self.server.disk(self.app)

    def add(self, note: str) -> str:
        """What it answers: the number of the line, and its version."""
        answer = self.server.get(self.app, method="POST", body=note)
        assert answer.status == 200, answer
        return answer.body

    @property
    def notes(self) -> list[str]:
        *notes, _version = self.server.get(self.app, "/notes").body.splitlines()
        return [note for note in notes if note]

    @property
    def version(self) -> str:
        return self.server.get(self.app).body.splitlines()[-1]

    def change(self, version: str, migration: str = "", **files: str) -> None:
        """A commit of the next version, whose migration does this."""
        self.repository.write("VERSION", f"{version}\n")
        self.repository.write("MIGRATION", f"{migration}\n")
        for name, text in files.items():
            self.repository.write(name, text)
        self.repository.commit()

    def gate(self) -> Path:
        """Let the next migration wait until this file is removed."""
        gate = self.disk / "hold-release"
        gate.touch()
        return gate

    def at_gate(self) -> None:
        """Until a migration waits there."""
        wait_until((self.disk / "at-release").exists, 60, lambda: "no migration came")

    def containers(self, role: str) -> list[str]:
        return self.server.containers(f"pushdeploy.app={self.app}", f"pushdeploy.role={role}")

    def last(self) -> dict[str, object]:
        return self.server.json(f"releases {self.app} -n 1")[0]

    def assert_never_two_at_once(self) -> None:
        assert not (self.disk / "overlapped").exists(), (self.disk / "overlapped").read_text()


@pytest.fixture
def tally(server: Server, tmp_path: Path, request: pytest.FixtureRequest) -> Tally:
    app = f"tally-{abs(hash(request.node.name)) % 10**6}"
    return Tally.live(server, tmp_path / app, app)


@pytest.fixture
def mortal_tally(mortal: Server, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Tally]:
    app = f"tally-{abs(hash(request.node.name)) % 10**6}"
    tally = Tally.live(mortal, tmp_path / app, app)
    yield tally
    (tally.disk / "hold-release").unlink(missing_ok=True)


class Clients:
    """People who write without pause; each remembers what was acknowledged."""

    def __init__(self, tally: Tally, count: int) -> None:
        self.acknowledged: list[str] = []
        self.versions: set[str] = set()
        self.lost: list[str] = []
        self._tally = tally
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._write, args=[n]) for n in range(count)]

    def __enter__(self) -> "Clients":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _write(self, number: int) -> None:
        """Every other one keeps its connection."""
        host = {"Host": f"{self._tally.app}.{DOMAIN}"}
        if number % 2:
            host["Connection"] = "close"
        port = self._tally.server.http_port
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        turn = 0
        while not self._stop.is_set():
            note, turn = f"{number}.{turn}", turn + 1
            try:
                connection.request("POST", "/", note, host)
                response = connection.getresponse()
                body = response.read().decode()
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                with self._lock:
                    self.lost.append(f"{note}: {error!r}")
                continue
            with self._lock:
                if response.status == 200:
                    self.acknowledged.append(note)
                    self.versions.add(body.splitlines()[-1])
                else:
                    self.lost.append(f"{note}: {response.status} {body[:80]}")
            if response.will_close:
                connection.close()
            self._stop.wait(0.05)
        connection.close()


def test_two_hundred_writers_wait_for_one_version_to_take_over_from_another(tally: Tally) -> None:
    tally.change("2", "add")

    with Clients(tally, 200) as clients:
        wait_until(lambda: len(clients.acknowledged) > 200, 60, lambda: str(clients.lost[:3]))
        pushed = tally.repository.push(check=True)
        wait_until(lambda: "version 2" in clients.versions, 30, lambda: str(clients.lost[:3]))

    assert clients.lost == []
    assert clients.versions == {"version 1", "version 2"}
    assert sorted(tally.notes) == sorted(clients.acknowledged)
    tally.assert_never_two_at_once()
    assert "cut-over: exclusive (it has a disk" in pushed.stderr
    assert "requests were held for" in pushed.stderr
    info = tally.server.record(f"releases:info {tally.app}")
    assert (info["cut_over"], info["snapshot"] is not None) == ("exclusive", True)


def test_a_migration_that_deletes_and_fails_leaves_data_and_version(tally: Tally) -> None:
    tally.add("before")
    tally.change("2", "delete and fail")

    pushed = tally.repository.push()

    assert pushed.returncode != 0
    assert "v1 (" in pushed.stderr
    assert "goes on serving; the data is as it was before" in pushed.stderr
    assert (tally.notes, tally.version) == (["before"], "version 1")
    assert tally.last()["status"] == "failed"
    tally.add("after")
    assert tally.notes == ["before", "after"]
    tally.assert_never_two_at_once()


def test_a_version_that_does_not_boot_leaves_data_and_version(tally: Tally) -> None:
    tally.add("before")
    tally.change("2", "delete", FAIL_BOOT="yes")

    pushed = tally.repository.push()

    assert pushed.returncode != 0
    assert "web: it does not start" in pushed.stderr
    assert (tally.notes, tally.version) == (["before"], "version 1")


def test_a_migration_that_is_killed_half_way_leaves_data_and_version(tally: Tally) -> None:
    tally.add("before")
    tally.change("2", "delete")
    tally.gate()
    push = tally.repository.start_push()
    tally.at_gate()

    [command] = tally.containers("once")
    subprocess.run(["docker", "kill", "--signal=KILL", command], check=True, capture_output=True)

    assert push.end() != 0
    assert (tally.notes, tally.version) == (["before"], "version 1")


def test_ps_and_info_say_since_when_requests_are_held(tally: Tally) -> None:
    tally.change("2")
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
    tally.change("2")
    shell = tally.server.watch_ssh(f"run {tally.app} 'echo ready; sleep 1000'")
    shell.wait_for("ready")

    pushed = tally.repository.push()
    said = next(line for line in pushed.stderr.splitlines() if "run." in line)
    name = said.partition("run.")[2][:4]
    tally.server.ssh(f"ps:stop {tally.app} run.{name}", check=True)

    assert pushed.returncode != 0
    assert shell.end() != 0
    tally.server.ssh(f"releases:retry {tally.app}", check=True)
    assert tally.version == "version 2"


def test_a_writer_that_ignores_sigterm_is_killed_and_loses_nothing(tally: Tally) -> None:
    tally.server.ssh(f"config:set {tally.app} STUBBORN=1", check=True)
    tally.server.ssh(f"apps:set {tally.app} stop-grace=2s", check=True)
    tally.add("before")
    tally.change("2")

    tally.repository.push(check=True)

    assert (tally.notes, tally.version) == (["before"], "version 2")
    tally.assert_never_two_at_once()


def test_overlap_takes_a_snapshot_and_names_it_when_it_fails(tally: Tally) -> None:
    tally.server.ssh(f"disks:set {tally.app} cutover=overlap", check=True)
    tally.add("before")
    tally.change("2", "delete and fail")

    pushed = tally.repository.push()

    assert pushed.returncode != 0
    assert "the data was not put back" in pushed.stderr
    restore = pushed.stderr.partition(f"disks:restore {tally.app} ")[2].split()[0]
    assert tally.notes == []
    tally.server.ssh(f"disks:restore {tally.app} {restore} --force", check=True)
    assert (tally.notes, tally.version) == (["before"], "version 1")


def test_a_server_killed_in_a_migration_puts_the_data_back(mortal_tally: Tally) -> None:
    tally = mortal_tally
    tally.add("before")
    tally.change("2", "delete")
    gate = tally.gate()
    push = tally.repository.start_push()
    tally.at_gate()

    tally.server.kill()
    tally.server.start()
    assert push.end() != 0
    waiting = threading.Thread(target=gate.unlink, daemon=True)
    time.sleep(0)
    waiting.start()

    wait_until(lambda: tally.server.get(tally.app).status == 200, 60, tally.server.log)
    assert (tally.notes, tally.version) == (["before"], "version 1")
    assert tally.last()["status"] == "failed"


def test_rollback_with_its_disk_goes_back_in_time_and_can_be_undone(tally: Tally) -> None:
    tally.add("before")
    tally.change("2", "delete")
    tally.repository.push(check=True)
    tally.add("after")

    asked = tally.server.ssh(f"releases:rollback {tally.app} v1 --with-disk")
    assert (asked.returncode, "is lost" in asked.stdout) == (1, True)
    assert tally.notes == ["after"]
    back = tally.server.ssh(f"releases:rollback {tally.app} v1 --with-disk --force", check=True)

    assert (tally.notes, tally.version) == (["before"], "version 1")
    undo = back.stdout.partition("disks:restore ")[2].split()
    tally.server.ssh(f"disks:restore {undo[0]} {undo[1]} --force", check=True)
    assert tally.notes == ["after"]


def test_disks_restore_is_a_release_and_the_page_of_snapshots_shows_it(
    tally: Tally, repo: MakeRepository
) -> None:
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
