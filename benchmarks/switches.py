"""Requests lost in ten switches, under keep-alive clients and slow requests in flight."""

import http.client
import shutil
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.measure import Figure, progress
from tests.stories.harness import APPS, DOMAIN, Repository, Server

SWITCHES = 10
PAUSE_SECONDS = 0.005


@dataclass
class Load:
    """Clients that ask without end and count what went wrong."""

    port: int
    host: str
    sent: int = 0
    lost: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, path: str, *, keep_alive: bool) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        while not self.stop.is_set():
            self._ask(connection, path, keep_alive=keep_alive)
            time.sleep(PAUSE_SECONDS)
        connection.close()

    def _ask(
        self, connection: http.client.HTTPConnection, path: str, *, keep_alive: bool
    ) -> None:
        said = ""
        try:
            headers = {"Host": self.host, "Connection": "keep-alive" if keep_alive else "close"}
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            response.read()
            if response.status != 200:
                said = f"status {response.status}"
            if response.will_close:
                connection.close()
        except (OSError, http.client.HTTPException) as error:
            said = repr(error)
            connection.close()
        with self.lock:
            self.sent += 1
            if said:
                self.lost.append(said)


def measure(server: Server, runs: int) -> list[Figure]:
    del runs
    root = Path(tempfile.mkdtemp(prefix="pushdeploy-bench-"))
    repository = Repository.create(server, APPS / "hello", root / "switch", "switch")
    repository.push(check=True)
    load = Load(server.http_port, f"switch.{DOMAIN}")
    clients = [
        threading.Thread(target=load.run, args=[path], kwargs={"keep_alive": keep_alive})
        for path, keep_alive in [("/", True)] * 4 + [("/", False)] * 2 + [("/slow?2", True)]
    ]
    for client in clients:
        client.start()
    seconds = []
    for turn in range(SWITCHES):
        repository.write("VERSION", f"switch {turn}\n")
        repository.commit()
        started = time.perf_counter()
        repository.push(check=True)
        seconds.append(time.perf_counter() - started)
        progress(f"switch {turn + 1}: {load.sent} requests, {len(load.lost)} lost")
    load.stop.set()
    for client in clients:
        client.join()
    shutil.rmtree(root, ignore_errors=True)
    for said in sorted(set(load.lost)):
        progress(f"lost: {said}")
    return [
        Figure("requests sent", "", [float(load.sent)]),
        Figure("requests lost", "", [float(len(load.lost))], aim="0"),
        Figure("git push under load, whole", "s", seconds),
    ]
