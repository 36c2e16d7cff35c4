"""People who keep asking for an app while something is done to it, and what they got."""

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.stories.harness import DOMAIN, Answer, Server

PAUSE_SECONDS = 0.005


@dataclass(slots=True)
class Visits:
    """``lost`` says of each request that was not answered with 200 what came instead."""

    answers: list[Answer] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)

    @property
    def bodies(self) -> list[str]:
        """The different ones, in the order in which they came first."""
        return list(dict.fromkeys(answer.body for answer in self.answers))


@contextmanager
def visiting(server: Server, app: str, path: str = "/") -> Iterator[Visits]:
    """Ask for ``app`` again and again while inside, on a new connection each time."""
    visits = Visits()
    stop = threading.Event()

    def ask() -> None:
        while not stop.wait(0.01):
            try:
                answer = server.get(app, path)
            except (OSError, http.client.HTTPException) as error:
                visits.lost.append(repr(error))
            else:
                visits.answers.append(answer)
                if answer.status != 200:
                    visits.lost.append(f"status {answer.status}")

    visitor = threading.Thread(target=ask, name=f"visits to {app}", daemon=True)
    visitor.start()
    try:
        yield visits
    finally:
        stop.set()
        visitor.join(70)


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
            self.stop.wait(PAUSE_SECONDS)
        connection.close()

    def _ask(self, connection: http.client.HTTPConnection, path: str, *, keep_alive: bool) -> None:
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


@contextmanager
def loaded(server: Server, app: str, *, slow: bool = True) -> Iterator[Load]:
    """Four keep-alive clients, two that close, and one whose requests take two seconds."""
    load = Load(server.http_port, f"{app}.{DOMAIN}")
    kinds = [("/", True)] * 4 + [("/", False)] * 2 + [("/slow?2", True)] * slow
    clients = [
        threading.Thread(target=load.run, args=[path], kwargs={"keep_alive": keep_alive})
        for path, keep_alive in kinds
    ]
    for client in clients:
        client.start()
    try:
        yield load
    finally:
        load.stop.set()
        for client in clients:
            client.join()
