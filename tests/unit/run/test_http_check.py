"""HTTP asked of a real server on loopback, and of things that are none."""

import socket
import threading
from collections.abc import Iterator

import pytest

from pushdeploy.run.health import Answer
from pushdeploy.run.http_check import NOT_LISTENING, HttpCheck


class Server:
    """Answers each connection with the same bytes, and keeps what it was asked.

    Without any bytes it closes the connection, with None it is silent.
    """

    def __init__(self, answer: bytes | None) -> None:
        self.asked: list[str] = []
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._held: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def port(self) -> int:
        port: int = self._socket.getsockname()[1]
        return port

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(5)
        for connection in self._held:
            connection.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._held.append(connection)
            self.asked.append(connection.recv(65536).decode())
            if self._answer is not None:
                connection.sendall(self._answer)
            if self._answer == b"":
                connection.close()


@pytest.fixture
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    server = Server(request.param)
    yield server
    server.close()


def answering(answer: bytes | None) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("server", [answer], indirect=True)


@answering(b"HTTP/1.1 204 No Content\r\n\r\n")
def test_the_request_carries_the_apps_host_and_an_escaped_path(server: Server) -> None:
    answer = HttpCheck("127.0.0.1", server.port, "shop.example").ask(
        "up?a=1\r\nX: y", 5, body=False
    )
    assert answer == Answer(204)
    first, *headers = server.asked[0].split("\r\n")
    assert first == "GET /up?a=1%0D%0AX:%20y HTTP/1.1"
    assert "Host: shop.example" in headers
    assert "X: y" not in headers


@answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
def test_the_body_is_read_where_it_is_wanted(server: Server) -> None:
    asked = HttpCheck("127.0.0.1", server.port, "shop")
    assert asked.ask("/", 5, body=True) == Answer(200, "hello")
    assert asked.ask("/", 5, body=False) == Answer(200)


@answering(b"HTTP/1.1 200 OK\r\n\r\nendless")
def test_an_endless_body_does_not_hold_up_who_does_not_want_it(server: Server) -> None:
    assert HttpCheck("127.0.0.1", server.port, "shop").ask("/", 5, body=False) == Answer(200)


@answering(b"SSH-2.0-something\r\n")
def test_another_protocol_is_a_problem(server: Server) -> None:
    answer = HttpCheck("127.0.0.1", server.port, "shop").ask("/", 5, body=False)
    assert answer.problem == "what comes back is not HTTP"


@answering(b"")
def test_a_connection_that_is_closed_without_a_word_is_a_problem(server: Server) -> None:
    answer = HttpCheck("127.0.0.1", server.port, "shop").ask("/", 5, body=False)
    assert answer.problem == "the connection is closed without an answer"


@answering(None)
def test_silence_is_a_problem_after_the_time_out(server: Server) -> None:
    answer = HttpCheck("127.0.0.1", server.port, "shop").ask("/", 0.2, body=False)
    assert answer.problem == "no answer within 0.2 s"


@answering(None)
def test_an_abort_ends_a_waiting_request_at_once(server: Server) -> None:
    asked = HttpCheck("127.0.0.1", server.port, "shop")
    timer = threading.Timer(0.2, asked.abort)
    timer.start()
    assert asked.ask("/", 3600, body=False).problem
    assert asked.ask("/", 30, body=False) is NOT_LISTENING
    timer.join()


def test_a_closed_port_and_no_address_are_nobody_listening() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert HttpCheck("127.0.0.1", port, "shop").ask("/", 1, body=False) is NOT_LISTENING
    assert HttpCheck("", port, "shop").ask("/", 1, body=False) is NOT_LISTENING


def headers(*values: str) -> bytes:
    lines = [f"X-{number}: {value}" for number, value in enumerate(values)]
    return "\r\n".join(["HTTP/1.1 200 OK", *lines, "", "hello"]).encode()


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        (headers(*["a cookie"] * 150), Answer(200)),
        (headers("x" * 100_000), Answer(200)),
        (headers("x" * 100_000, "y" * 100_000), Answer(200)),
        (
            headers("x" * 400_000),
            Answer(problem="the headers of its answer are larger than 256 KB"),
        ),
    ],
    indirect=["server"],
)
def test_as_many_headers_are_an_answer_as_visitors_can_be_given(
    server: Server, expected: Answer
) -> None:
    assert HttpCheck("127.0.0.1", server.port, "shop").ask("/", 5, body=False) == expected
