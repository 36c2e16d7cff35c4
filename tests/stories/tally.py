"""An app that counts in SQLite on a disk of its own, and people who write to it without pause."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.stories.harness import APPS, DOMAIN, Repository, Server, wait_until

HELD_SECONDS = 120
"""How long a writer waits for an answer: longer than any release command of a story takes."""


class Tally:
    """The app of tests/apps/tally, live; each story makes its next version."""

    def __init__(self, server: Server, repository: Repository) -> None:
        self.server = server
        self.repository = repository
        self.app = repository.app
        self._made = 1

    @classmethod
    def live(cls, server: Server, path: Path, app: str, **files: str) -> "Tally":
        """Its first version, with further files."""
        repository = Repository.create(server, APPS / "tally", path, app)
        for name, text in files.items():
            repository.write(name, text)
        repository.commit()
        server.ssh(f"apps:create {app}", check=True)
        server.ssh(f"disks:attach {app} data /data", check=True)
        repository.push(check=True)
        return cls(server, repository)

    @contextmanager
    def at_rest(self) -> Iterator["Tally"]:
        """As every story finds it: live, without lines, its branch where the server's is."""
        self.repository.git("reset", "-q", "--hard", self.repository.remote_main)
        cleared = self.server.get(self.app, method="DELETE")
        assert cleared.status == 200, cleared
        try:
            yield self
        finally:
            for name in ("hold-release", "at-release"):
                (self.disk / name).unlink(missing_ok=True)

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
        answer = self.server.get(self.app, "/notes")
        assert answer.status == 200, answer
        *notes, _version = answer.body.splitlines()
        return [note for note in notes if note]

    @property
    def version(self) -> str:
        """What answers: ``version 3``."""
        return self.server.get(self.app).body.splitlines()[-1]

    @property
    def release(self) -> str:
        """The live one: ``v5``."""
        rows = self.server.json(f"releases {self.app} -n 100")
        return next(str(row["release"]) for row in rows if row["current"])

    def change(self, migration: str = "", **files: str) -> str:
        """Commit a next version, whose migration does this: what it will answer."""
        self._made += 1
        self.repository.write("VERSION", f"{self._made}\n")
        self.repository.write("MIGRATION", f"{migration}\n")
        for name, text in files.items():
            self.repository.write(name, text)
        self.repository.commit()
        return f"version {self._made}"

    def gate(self) -> Path:
        """Let the next migration wait until this file is removed."""
        gate = self.disk / "hold-release"
        gate.touch()
        return gate

    def at_gate(self) -> None:
        """Until a migration waits there."""
        arrived = self.disk / "at-release"
        wait_until(arrived.exists, 60, lambda: f"no migration came:\n{self.server.log()[-3000:]}")
        arrived.unlink()

    def containers(self, role: str) -> list[str]:
        return self.server.containers(f"pushdeploy.app={self.app}", f"pushdeploy.role={role}")

    def last(self) -> dict[str, object]:
        return self.server.json(f"releases {self.app} -n 1")[0]

    def assert_never_two_at_once(self) -> None:
        assert not (self.disk / "overlapped").exists(), (self.disk / "overlapped").read_text()

    def assert_serves(self, version: str, notes: list[str]) -> None:
        """This version, with exactly these lines; nothing is held, and nothing ran beside it."""
        assert (sorted(self.notes), self.version) == (sorted(notes), version)
        assert self.server.record(f"apps:info {self.app}")["requests_held_since"] is None
        self.assert_never_two_at_once()


class Clients:
    """People who write without pause while inside, and what each of them was told.

    A line counts as acknowledged when its 200 has been read; of any other nobody can say whether
    it was written.
    """

    def __init__(self, tally: Tally, count: int, called: str = "") -> None:
        self.acknowledged: dict[str, str] = {}
        self.lost: list[str] = []
        self._tally = tally
        self._called = called
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._write, args=[n]) for n in range(count)]

    @property
    def versions(self) -> set[str]:
        """Those that have answered."""
        with self._lock:
            return set(self.acknowledged.values())

    def wait_for_answers(self, count: int) -> None:
        """From now on, so many more."""
        wanted = len(self.acknowledged) + count
        wait_until(lambda: len(self.acknowledged) >= wanted, 60, lambda: str(self.lost[:3]))

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
        headers = {"Host": f"{self._tally.app}.{DOMAIN}"}
        if number % 2:
            headers["Connection"] = "close"
        port = self._tally.server.http_port
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=HELD_SECONDS)
        turn = 0
        while not self._stop.is_set():
            note, turn = f"{self._called}{number}.{turn}", turn + 1
            self._send(connection, note, headers)
            self._stop.wait(0.05)
        connection.close()

    def _send(
        self, connection: http.client.HTTPConnection, note: str, headers: dict[str, str]
    ) -> None:
        try:
            connection.request("POST", "/", note, headers)
            response = connection.getresponse()
            body = response.read().decode()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            with self._lock:
                self.lost.append(f"{note}: {error!r}")
            return
        with self._lock:
            if response.status == 200:
                self.acknowledged[note] = body.splitlines()[-1]
            else:
                self.lost.append(f"{note}: {response.status} {body[:80]}")
        if response.will_close:
            connection.close()
