"""What a release would do to an app's data is seen beforehand; nothing that is live knows of it."""

import hashlib
import json
import secrets
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.stories.harness import APPS, Repository, Result, Server, wait_until

pytestmark = pytest.mark.docker

MIGRATION = """\
import os, pathlib, socket, sqlite3, sys, time

disk = pathlib.Path(os.environ["DISK_PATH"])
what = os.environ.get("MIGRATION", "")
database = sqlite3.connect(disk / "tally.sqlite3")
database.execute("CREATE TABLE IF NOT EXISTS entries (id INTEGER PRIMARY KEY, note TEXT)")
print(f"migrating as {os.getuid()} in phase {os.environ['RELEASE_PHASE']}: {what}", flush=True)
if what == "delete":
    database.executescript(
        "DELETE FROM entries; ALTER TABLE entries ADD COLUMN price INTEGER;"
        "CREATE INDEX by_note ON entries (note);"
    )
    (disk / "grown").write_bytes(os.urandom(1 << 20))
if what == "fail":
    sys.exit("no such column: price")
if what == "spoil":
    (disk / "tally.sqlite3").write_bytes(b"no database any more" * 1000)
if what.startswith("call"):
    _, host, port = what.split()
    try:
        socket.create_connection((host, int(port)), timeout=3).close()
        print("reached")
    except OSError as error:
        print(f"not reached: {error}")
        try:
            socket.getaddrinfo("www.example.com", 80)
        except OSError as error:
            print(f"not resolved: {error}")
if what == "wait":
    print("waiting", flush=True)
    time.sleep(600)
"""
"""Does what the config says: what is staged is what the next release would have."""


class Live:
    """An app with three notes on its disk, and whatever could show that something touched it."""

    def __init__(self, server: Server, path: Path, app: str) -> None:
        self.server = server
        self.app = app
        repository = Repository.create(server, APPS / "tally", path, app)
        repository.write("release.py", MIGRATION)
        repository.commit()
        server.ssh(f"apps:create {app}", check=True)
        server.ssh(f"disks:attach {app} data /data", check=True)
        repository.push(check=True)
        for note in ("one", "two", "three"):
            assert server.get(app, method="POST", body=note).status == 200

    def next_one(self, migration: str) -> None:
        """Let the next release do this to the data."""
        changed = f"config:set {self.app} --no-restart MIGRATION='{migration}'"
        self.server.ssh(changed, check=True)

    @contextmanager
    def untouched(self) -> Iterator[None]:
        before = self.everything()
        yield
        assert self.everything() == before

    def everything(self) -> dict[str, object]:
        """Of the app and its server; the disk byte for byte, with times and owners."""
        home = self.server.home
        asked = ("releases", "ps", "disks:snapshots", "config", "domains", "logs")
        return {
            "disk": tree(self.server.disk(self.app)),
            "nginx": tree(home / "nginx" / "conf.d") | tree(home / "nginx" / "apps"),
            "snapshots": sorted(str(path) for path in (home / "snapshots").glob("*/*")),
            "copies": sorted(str(path) for path in (home / "rehearsals").glob("*")),
            "containers": sorted(self.server.containers()),
            **{each: self.server.ssh(f"{each} {self.app}", check=True).stdout for each in asked},
        }

    def rehearsing(self) -> list[str]:
        return self.server.containers("pushdeploy.role=rehearsal")


def tree(root: Path) -> dict[str, tuple[int, int, int, int, str]]:
    return {
        str(path.relative_to(root)): (
            path.lstat().st_mode,
            path.lstat().st_uid,
            path.lstat().st_mtime_ns,
            path.lstat().st_ctime_ns,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in [root, *sorted(root.rglob("*"))]
        if path.exists()
    }


@pytest.fixture(scope="module")
def live(shared_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Live:
    app = f"rehearsed-{secrets.token_hex(3)}"
    return Live(shared_server, tmp_path_factory.mktemp("rehearsal") / "app", app)


@pytest.fixture
def outside() -> Iterator[tuple[str, int]]:
    """Where something answers beyond this machine: in a network namespace of its own."""
    name, here, there = (f"{kind}{secrets.token_hex(4)}" for kind in ("pdo", "pdh", "pdt"))
    block = f"10.207.{secrets.randbelow(256)}.{secrets.randbelow(64) * 4}"
    stem, _, last = block.rpartition(".")
    gateway, address = f"{stem}.{int(last) + 1}", f"{stem}.{int(last) + 2}"
    if ip("netns", "add", name).returncode:
        pytest.skip("no network namespace can be made here")
    try:
        for words in (
            ("link", "add", here, "type", "veth", "peer", "name", there),
            ("link", "set", there, "netns", name),
            ("addr", "add", f"{gateway}/30", "dev", here),
            ("link", "set", here, "up"),
            ("-n", name, "addr", "add", f"{address}/30", "dev", there),
            ("-n", name, "link", "set", there, "up"),
            ("-n", name, "route", "add", "default", "via", gateway),
        ):
            assert ip(*words).returncode == 0, words
        script = (
            "import socket; s = socket.create_server(('0.0.0.0', 8099)); print('up', flush=True)\n"
            "while True: s.accept()[0].close()"
        )
        listener = subprocess.Popen(
            ["ip", "netns", "exec", name, sys.executable, "-c", script], stdout=subprocess.PIPE
        )
        try:
            assert listener.stdout is not None
            assert listener.stdout.readline() == b"up\n"
            socket.create_connection((address, 8099), timeout=10).close()
            yield address, 8099
        finally:
            listener.kill()
            listener.communicate()
    finally:
        ip("netns", "del", name)
        ip("link", "del", here)


def ip(*words: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["ip", *words], capture_output=True, check=False)


def report_of(result: Result) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(result.stdout)
    return report


def test_a_migration_that_deletes_rows_shows_in_the_report_alone(live: Live) -> None:
    live.next_one("delete")

    with live.untouched():
        result = live.server.ssh(f"releases:rehearse {live.app} --format json", check=True)

    report = report_of(result)
    [database] = report["databases"]
    assert (database["path"], database["change"]) == ("tally.sqlite3", "changed")
    assert database["indexes_added"] == ["by_note"]
    assert database["tables"] == [
        {
            "table": "entries",
            "change": "changed",
            "columns_added": ["price"],
            "columns_removed": [],
            "columns_changed": [],
            "rows_before": 3,
            "rows_after": 0,
        }
    ]
    [disk] = report["disks"]
    assert disk["growth_bytes"] >= 1 << 20
    command, web, hold = report["command"], report["web"], report["expected_hold"]
    uid = live.server.disk(live.app).stat().st_uid
    assert command["exit_code"] == 0
    assert command["output"] == [f"migrating as {uid} in phase 1: delete"]
    assert web["outcome"] == "healthy"
    parts = [value for key, value in hold.items() if key != "seconds"]
    assert sum(parts) == pytest.approx(hold["seconds"], abs=0.01)
    assert (report["version"], report["network"], report["went_well"]) == (2, False, True)
    assert live.server.get(live.app, "/notes").body.splitlines()[:3] == ["one", "two", "three"]


def test_a_command_that_fails_and_a_version_that_does_not_boot_are_told(live: Live) -> None:
    live.next_one("fail")
    with live.untouched():
        failed = live.server.ssh(f"releases:rehearse {live.app}")
    live.next_one("spoil")
    with live.untouched():
        spoiled = live.server.ssh(f"releases:rehearse {live.app}")

    assert (failed.returncode, spoiled.returncode) == (1, 1)
    assert "no such column: price" in failed.stdout
    assert "release command: exit code 1" in failed.stdout
    assert "web: not started" in failed.stdout
    assert "release command: exit code 0" in spoiled.stdout
    assert "web.1 does not start: DatabaseError: file is not a database (data.py" in spoiled.stdout
    assert "file is not a database" in spoiled.stderr
    assert "would hold requests" not in failed.stdout + spoiled.stdout


def test_nothing_gets_out_of_the_machine_unless_it_is_wanted(
    live: Live, outside: tuple[str, int]
) -> None:
    live.next_one("call {} {}".format(*outside))

    with live.untouched():
        shut_in = live.server.ssh(f"releases:rehearse {live.app}", check=True)
        let_out = live.server.ssh(f"releases:rehearse {live.app} --network", check=True)

    assert "not reached" in shut_in.stdout
    assert "not resolved" in shut_in.stdout
    assert "       reached\n" in let_out.stdout


def test_a_promotion_is_rehearsed_for_each_of_its_targets(live: Live) -> None:
    targets = [f"{live.app}-{stage}" for stage in ("a", "b")]
    for target, migration in zip(targets, ("delete", "fail"), strict=True):
        live.server.ssh(f"apps:create {target}", check=True)
        live.server.ssh(f"disks:attach {target} data /data", check=True)
        live.server.ssh(f"config:set {target} MIGRATION={migration}", check=True)
    live.server.ssh(f"pipelines:create {live.app}", check=True)
    live.server.ssh(f"pipelines:add {live.app} {live.app} --stage one", check=True)
    for target in targets:
        live.server.ssh(f"pipelines:add {live.app} {target} --stage two", check=True)

    with live.untouched():
        both = live.server.ssh(f"pipelines:promote {live.app} --rehearse --format json")
        first = live.server.ssh(
            f"pipelines:promote {live.app} --rehearse --to {targets[0]}", check=True
        )

    report = report_of(both)
    outcomes = [(each["app"], each["went_well"]) for each in report["targets"]]
    assert (both.returncode, outcomes) == (1, [(targets[0], True), (targets[1], False)])
    assert f"The rehearsal of v1 of {targets[0]} went well" in first.stdout
    assert "table entries: added, 0 rows" in first.stdout
    for target in targets:
        assert live.server.json(f"releases {target}") == []
        assert not live.server.disk(target).exists()


def test_ctrl_c_leaves_nothing_and_the_app_is_free_meanwhile(live: Live) -> None:
    live.next_one("wait")

    with live.untouched():
        rehearsal = live.server.watch_ssh(f"releases:rehearse {live.app}", tty=True)
        rehearsal.wait_for("waiting")
        assert len(live.rehearsing()) == 1
        assert [row["process"] for row in live.server.json(f"ps {live.app}")] == ["web.1"]
        taken = live.server.record(f"disks:snapshot {live.app}")
        live.server.ssh(f"disks:forget {live.app} {taken['snapshot']}", check=True)
        rehearsal.interrupt()
        assert rehearsal.end() != 0
        wait_until(lambda: not live.rehearsing(), 30, live.server.log)
        copies = live.server.home / "rehearsals"
        wait_until(lambda: not list(copies.glob("*")), 30, live.server.log)


@pytest.mark.slow
def test_a_server_killed_in_a_rehearsal_leaves_nothing(mortal: Server, tmp_path: Path) -> None:
    live = Live(mortal, tmp_path / "app", f"rehearsed-{secrets.token_hex(3)}")
    live.next_one("wait")
    before = live.everything()
    rehearsal = mortal.watch_ssh(f"releases:rehearse {live.app}")
    rehearsal.wait_for("waiting")
    assert list((mortal.home / "rehearsals").glob("*"))

    mortal.kill()
    assert rehearsal.end() != 0
    mortal.start()

    after = live.everything()  # but for the times of its disk, for it was asked whether it answers
    for each in before.keys() - {"disk", "nginx", "logs"}:
        assert after[each] == before[each], each
