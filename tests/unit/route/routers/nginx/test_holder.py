"""The holder by itself: a real process with sockets of our own on both sides of it."""

import select
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from pushdeploy.domain.names import AppName
from pushdeploy.domain.route import Target
from pushdeploy.route.deadline import until
from pushdeploy.route.routers.nginx import holder
from pushdeploy.route.routers.nginx.holds import Holds
from pushdeploy.route.routers.nginx.prefix import Prefix

SHOP = AppName("shop")
LARGE = b"0123456789abcdef" * 1_000_000

Connect = Callable[[], socket.socket]


@pytest.fixture
def prefix(tmp_path: Path) -> Prefix:
    prefix = Prefix(tmp_path)
    prefix.make()
    return prefix


@pytest.fixture
def holds(prefix: Prefix) -> Iterator[Holds]:
    holds = Holds(prefix, 30)
    yield holds
    holds.end(SHOP)


@pytest.fixture
def connect(prefix: Prefix) -> Iterator[Connect]:
    """As nginx's workers do."""
    opened: list[socket.socket] = []

    def start() -> socket.socket:
        visitor = socket.socket(socket.AF_UNIX)
        opened.append(visitor)
        visitor.settimeout(20)
        visitor.connect(str(prefix.holders / "shop.sock"))
        return visitor

    yield start
    for visitor in opened:
        visitor.close()


@pytest.fixture
def task() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)
        yield server


@pytest.fixture
def background() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(5) as threads:
        yield threads


def test_what_is_sent_while_it_waits_arrives_whole_and_so_does_the_answer(
    holds: Holds, connect: Connect, task: socket.socket, background: ThreadPoolExecutor
) -> None:
    holds.begin(SHOP)
    visitor = connect()
    sent = background.submit(visitor.sendall, LARGE)
    assert _waiting(holds, 1)
    holds.pass_on(SHOP, [_target(task)])
    with task.accept()[0] as connection:
        assert _read(connection, len(LARGE)) == LARGE
        sent.result(20)
        background.submit(connection.sendall, LARGE)
        assert _read(visitor, len(LARGE)) == LARGE


def test_either_side_may_be_done_with_writing_and_go_on_reading(
    holds: Holds, connect: Connect, task: socket.socket
) -> None:
    holds.begin(SHOP)
    visitor = connect()
    visitor.sendall(b"question")
    visitor.shutdown(socket.SHUT_WR)
    assert _waiting(holds, 1)
    holds.pass_on(SHOP, [_target(task)])
    with task.accept()[0] as connection:
        assert _to_the_end(connection) == b"question"
        connection.sendall(b"answer")
    assert _to_the_end(visitor) == b"answer"


def test_a_visitor_that_leaves_ends_the_connection_to_the_task(
    holds: Holds, connect: Connect, task: socket.socket
) -> None:
    holds.begin(SHOP)
    holds.pass_on(SHOP, [_target(task)])
    visitor = connect()
    with task.accept()[0] as connection:
        connection.settimeout(20)
        visitor.close()
        assert connection.recv(10) == b""
        assert until(lambda: _relaying(holds) == 0, 20)


def test_a_visitor_that_reads_slowly_holds_the_task_up_and_fills_no_memory(
    holds: Holds, connect: Connect, task: socket.socket
) -> None:
    holds.begin(SHOP)
    holds.pass_on(SHOP, [_target(task)])
    visitor = connect()
    with task.accept()[0] as connection:
        connection.setblocking(False)
        before = _memory_kilobytes(holds)
        sent = 0
        while until(lambda: _writable(connection), 0.5):
            sent += connection.send(LARGE)
        assert sent < 30_000_000
        assert _memory_kilobytes(holds) - before < 2_000
        assert len(_read(visitor, sent)) == sent


def test_tasks_take_turns_and_dead_ones_are_passed_over(
    holds: Holds, connect: Connect, task: socket.socket
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other, socket.socket() as dead:
        dead.bind(("127.0.0.1", 0))
        other.settimeout(20)
        holds.begin(SHOP)
        visitors = [connect() for _ in range(6)]
        assert _waiting(holds, 6)
        holds.pass_on(SHOP, [_target(task), _target(dead), _target(other)])
        accepted = [server.accept()[0] for server in (task, other) for _ in range(2)]
        assert until(lambda: _relaying(holds) == len(visitors), 20)
        for connection in accepted:
            connection.close()


def test_those_that_have_waited_come_to_a_task_in_turn(
    holds: Holds, connect: Connect, background: ThreadPoolExecutor
) -> None:
    holds.begin(SHOP)
    visitors = [connect() for _ in range(300)]
    assert _waiting(holds, 300)
    with socket.create_server(("127.0.0.1", 0), backlog=400) as task:
        busiest = background.submit(_busiest_while_answering, task, 301)
        holds.pass_on(SHOP, [_target(task)])
        late = connect()
        holds.finish(SHOP)
        assert [_to_the_end(visitor) for visitor in visitors] == [b"answer"] * 300
        assert _to_the_end(late) == b"answer"
    assert busiest.result(20) <= 64


def test_those_that_stay_keep_nobody_waiting(
    holds: Holds, connect: Connect, task: socket.socket
) -> None:
    holds.begin(SHOP)
    visitors = [connect() for _ in range(150)]
    assert _waiting(holds, 150)
    holds.pass_on(SHOP, [_target(task)])
    websockets = [task.accept()[0] for _ in visitors]
    assert _relaying(holds) == 150
    for websocket in websockets:
        websocket.close()


def test_those_that_wait_for_their_turn_are_held_again_when_that_is_wanted(
    holds: Holds, connect: Connect, task: socket.socket
) -> None:
    holds.begin(SHOP)
    visitors = [connect() for _ in range(400)]
    assert _waiting(holds, 400)
    holds.pass_on(SHOP, [_target(task)])
    holds.finish(SHOP)
    held = holds.tell(SHOP, "hold")
    assert held is not None
    assert held.holding
    assert 0 < held.waiting < len(visitors)
    with socket.create_server(("127.0.0.1", 0)) as other:
        other.settimeout(20)
        holds.pass_on(SHOP, [_target(other)])
        for connection in [other.accept()[0] for _ in range(held.waiting)]:
            connection.close()


def test_one_that_finishes_lets_its_connections_end_and_then_itself(
    holds: Holds, prefix: Prefix, connect: Connect, task: socket.socket
) -> None:
    holds.begin(SHOP)
    held = holds.find(SHOP)
    assert held is not None
    queued = connect()
    holds.pass_on(SHOP, [_target(task)])
    holds.finish(SHOP)
    assert holds.find(SHOP) is None
    with pytest.raises(FileNotFoundError):
        connect()
    with task.accept()[0] as connection:
        connection.sendall(b"answer")
        assert queued.recv(10) == b"answer"
        assert _runs(held.pid)
        queued.close()
    assert until(lambda: not _runs(held.pid), 20)


def test_one_that_finishes_is_no_hindrance_to_the_next(
    holds: Holds, connect: Connect, task: socket.socket
) -> None:
    holds.begin(SHOP)
    holds.pass_on(SHOP, [_target(task)])
    former = connect()
    with task.accept()[0] as connection:
        holds.finish(SHOP)
        holds.begin(SHOP)
        connect()
        assert _waiting(holds, 1)
        connection.sendall(b"answer")
        assert former.recv(10) == b"answer"


def test_one_that_nobody_needs_ends_by_itself(prefix: Prefix, connect: Connect) -> None:
    holds = Holds(prefix, 30, idle_seconds=0.4)
    holds.begin(SHOP)
    held = holds.find(SHOP)
    assert held is not None
    visitor = connect()
    visitor.sendall(b"x")
    assert until(lambda: _runs(held.pid), 1)
    visitor.close()
    assert until(lambda: not _runs(held.pid), 20)
    assert list(prefix.holders.iterdir()) == []


def test_it_needs_nothing_but_the_standard_library() -> None:
    run = subprocess.run(
        [sys.executable, "-I", "-S", holder.__file__], capture_output=True, text=True, check=False
    )
    assert "not enough values to unpack" in run.stderr


def _target(server: socket.socket) -> Target:
    host, port = server.getsockname()
    return Target(host, port)


def _waiting(holds: Holds, count: int) -> bool:
    def arrived() -> bool:
        held = holds.find(SHOP)
        return held is not None and held.waiting == count

    return until(arrived, 20)


def _relaying(holds: Holds) -> int:
    held = holds.find(SHOP)
    return held.relaying if held else -1


def _read(connection: socket.socket, count: int) -> bytes:
    data = bytearray()
    while len(data) < count and (chunk := connection.recv(65536)):
        data += chunk
    return bytes(data)


def _to_the_end(connection: socket.socket) -> bytes:
    return _read(connection, sys.maxsize)


def _busiest_while_answering(server: socket.socket, count: int) -> int:
    """How many connections were open at once, at a task that takes 2 ms for each, in turn."""
    connections: list[socket.socket] = []
    busiest = 0
    for _ in range(count):
        server.settimeout(20)
        if not connections:
            connections.append(server.accept()[0])
        server.settimeout(0)
        with suppress(BlockingIOError):
            while True:
                connections.append(server.accept()[0])
        time.sleep(0.002)
        busiest = max(busiest, len(connections))
        with connections.pop(0) as oldest:
            oldest.sendall(b"answer")
    return busiest


def _writable(connection: socket.socket) -> bool:
    return bool(select.select([], [connection], [], 0)[1])


def _memory_kilobytes(holds: Holds) -> int:
    held = holds.find(SHOP)
    assert held is not None
    status = Path(f"/proc/{held.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


def _runs(pid: int) -> bool:
    try:
        return "holder.py" in Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return False
