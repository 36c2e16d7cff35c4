"""What every scheduler does with one-off containers."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import BootFailed, Cancelled
from pushdeploy.domain.manifest import Mount
from pushdeploy.domain.one_off import TIMED_OUT, OneOff
from pushdeploy.locks.start_gate import OneTimeGate
from pushdeploy.output import Quiet
from tests.contracts.schedulers import APP, SERVE, WEB1, WORKER1, Bench, Typed
from tests.fakes import FakeEngine


def test_a_one_off_gives_output_errors_and_exit_code(bench: Bench) -> None:
    code, streams = bench.once('echo "$DYNO"; echo bad >&2; exit 9')
    assert (code, streams.out, streams.errors) == (9, b"run.1\n", b"bad\n")
    assert bench.scheduler.remove_strays() == 0


def test_a_one_off_reads_its_input_to_the_end(bench: Bench) -> None:
    code, streams = bench.once("cat; exit 0", Typed([b"one\n", b"two\n"]))
    assert (code, streams.out) == (0, b"one\ntwo\n")


def test_a_large_output_is_complete_when_a_one_off_ends(bench: Bench) -> None:
    code, streams = bench.once("seq 1 200000")
    assert code == 0
    assert streams.out.endswith(b"199999\n200000\n")
    assert streams.out.count(b"\n") == 200_000


def test_a_one_off_that_takes_too_long_is_stopped_with_124(bench: Bench) -> None:
    code, streams = bench.once("trap 'echo stopping; exit 0' TERM; sleep 60 & wait", None, 1)
    assert (code, streams.out) == (124, b"stopping\n")


class Watched(Typed):
    """Streams whose first output calls ``begun``."""

    def __init__(self, begun: Callable[[], None]) -> None:
        super().__init__()
        self._begun = begun

    def write(self, data: bytes) -> None:
        first = not self.out
        super().write(data)
        if first:
            self._begun()


@pytest.mark.parametrize(("name", "code"), [("TERM", 143), ("INT", 130)])
@pytest.mark.parametrize("command", ["{child} && echo next", "exec {child}"])
def test_a_one_off_that_somebody_stopped_says_so_whatever_its_child_says_regression(
    bench: Bench, command: str, name: str, code: int
) -> None:
    def stop() -> None:
        [container] = bench.engine.containers({})
        bench.engine.signal(container.id, name)

    child = f"sh -c 'trap \"exit 0\" {name}; echo up; while :; do sleep 0.05; done'"
    ended, streams = bench.once(command.format(child=child), Watched(stop))
    assert (ended, streams.out) == (code, b"up\n")


def test_a_one_off_is_killed_where_it_runs_and_a_task_is_not(bench: Bench) -> None:
    bench.run(bench.with_commands(worker="sleep 60"))
    [task] = bench.scheduler.tasks(APP)
    killed: list[str] = []

    def kill() -> None:
        found = [info.id for info in bench.engine.containers({})]
        killed.extend(map(bench.scheduler.kill_one_off, found))

    code, _ = bench.once("echo up; sleep 60", Watched(kill))
    assert code == 137
    assert [bool(name) for name in killed] == [False, True]
    assert "run.1" in killed[1]
    assert bench.scheduler.tasks(APP) == [task]


def test_a_cancelled_one_off_is_gone(bench: Bench) -> None:
    cancellation = Cancellation()
    with bench.engine.events() as events:
        canceller = threading.Thread(
            target=lambda: (
                next(event for event in events if event.action == "start"),
                cancellation.cancel("the client has gone"),
            )
        )
        canceller.start()
        with pytest.raises(Cancelled):
            bench.scheduler.run_once(
                OneOff(bench.manifest, "sleep 3600", "run.2"), Typed(), cancellation
            )
        canceller.join(10)
    assert bench.engine.containers({}) == []


def test_a_one_off_behind_a_gate_is_ready_and_begins_when_it_opens(bench: Bench) -> None:
    gate, streams = OneTimeGate(), Typed()
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(bench.behind, gate, "echo begun; exit 3", streams)
        assert gate.await_ready(1, 60)
        assert (streams.out, ended.done()) == (b"", False)
        gate.open()
        assert ended.result(60) == 3
    assert streams.out == b"begun\n"
    assert bench.engine.containers({}) == []


def test_a_one_off_behind_a_gate_that_is_shut_never_begins(bench: Bench) -> None:
    gate, streams = OneTimeGate(), Typed()
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(bench.behind, gate, "echo begun", streams)
        assert gate.await_ready(1, 60)
        gate.shut()
        with pytest.raises(Cancelled):
            ended.result(60)
    assert streams.out == b""
    assert bench.engine.containers({}) == []


def test_a_one_off_beside_a_task_has_its_network(bench: Bench) -> None:
    """What listens on the task's loopback can be reached: for a network of its own it could not."""
    port = str(bench.manifest.port)
    bench.run(bench.with_commands(worker=SERVE.replace("$PORT", port)))
    [task] = bench.scheduler.tasks(APP)
    fetch = f"busybox wget -qO- http://127.0.0.1:{port}/ok"
    reach = f"for n in $(seq 50); do {fetch} && exit; sleep 0.1; done; exit 7"
    streams = Typed()
    one_off = OneOff(bench.manifest, reach, "release.5", 60, beside=task.container)
    code = bench.scheduler.run_once(one_off, streams, Cancellation())
    assert (code, streams.out) == (0, b"fine\n")
    if not isinstance(bench.engine, FakeEngine):  # whose containers are processes of this machine
        assert bench.once(fetch)[0] != 0


def test_the_exit_code_of_a_one_off_is_told_while_its_container_is_still_there(
    bench: Bench,
) -> None:
    told: list[tuple[int, int]] = []

    def ended(code: int) -> None:
        told.append((code, len(bench.engine.containers({}))))

    code = bench.scheduler.run_once(
        OneOff(bench.manifest, "exit 4", "release.6"), Typed(), Cancellation(), ended=ended
    )
    assert (code, told, bench.engine.containers({})) == (4, [(4, 1)], [])


def test_one_offs_see_the_mounts_and_extra_variables(bench: Bench, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    target = str(disk) if isinstance(bench.engine, FakeEngine) else "/data"
    manifest = replace(bench.manifest, mounts=[Mount(str(disk), target)])
    note = f"echo $RELEASE_PHASE > {target}/note"
    one_off = OneOff(manifest, note, "release.3", 60, {"RELEASE_PHASE": "1"})
    code = bench.scheduler.run_once(one_off, Typed(), Cancellation())
    assert code == 0
    assert (disk / "note").read_text() == "1\n"


def test_strays_are_removed_and_tasks_are_not(bench: Bench) -> None:
    bench.run(bench.with_commands(worker="sleep 60"))
    with bench.engine.events() as events:
        thread = threading.Thread(target=bench.once, args=["sleep 60"])
        thread.start()
        next(e for e in events if e.action == "start" and "pushdeploy.dyno" in e.labels)
        assert bench.scheduler.remove_strays() == 0
        assert bench.scheduler.remove_strays(APP) == 1
    thread.join(10)
    assert [task.slot for task in bench.scheduler.tasks()] == [WORKER1]


def test_a_process_that_is_tried_out_was_never_a_task(bench: Bench) -> None:
    manifest = replace(bench.with_commands(web=SERVE), rehearsal=True)
    tried = bench.scheduler.try_out(manifest, WEB1, 5, Quiet(), Cancellation())
    assert tried.boot_seconds > 0
    assert 0 < tried.stop_seconds < manifest.stop_grace_seconds
    assert bench.engine.containers({}) == []
    assert bench.lines() == []
    broken = bench.with_commands(web="echo no module; exit 3")
    with pytest.raises(BootFailed) as caught:
        bench.scheduler.try_out(broken, WEB1, 5, Quiet(), Cancellation())
    assert (caught.value.exit_code, caught.value.log_tail) == (3, ("no module",))
    assert bench.engine.containers({}) == []


def test_time_runs_on_for_a_command_whose_server_was_killed_regression(bench: Bench) -> None:
    successor = bench.successor()
    arguments = (OneOff(bench.with_commands(), "sleep 3600", "release.4", 3600), Typed())
    with bench.engine.events() as events:
        thread = threading.Thread(
            target=bench.scheduler.run_once, args=(*arguments, Cancellation())
        )
        thread.start()
        next(e for e in events if e.action == "start")
        assert successor.finish_once(APP, "release.4", 2, print) == TIMED_OUT
    thread.join(60)
    assert not thread.is_alive()
    assert bench.engine.containers({}) == []


def test_what_a_killed_server_has_rehearsed_is_a_stray(bench: Bench) -> None:
    manifest = replace(bench.with_commands(), rehearsal=True)
    name, successor = "release.4", bench.successor()
    arguments = (OneOff(manifest, "sleep 60", name, 60), Typed(), Cancellation())
    with bench.engine.events() as events:
        thread = threading.Thread(target=bench.scheduler.run_once, args=arguments)
        thread.start()
        next(e for e in events if e.action == "start")
        assert bench.scheduler.tasks() == []
        assert bench.scheduler.specimens(APP) == []
        assert successor.finish_once(APP, name, 60, print) is None
        assert bench.scheduler.remove_strays() == 0
        assert bench.scheduler.remove_strays(APP) == 0
        assert successor.remove_strays() == 1
    thread.join(10)
    assert bench.engine.containers({}) == []
