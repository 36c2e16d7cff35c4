"""What every scheduler does, whichever file of run/schedulers it stands in."""

import queue
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

import pushdeploy.run.schedulers
from pushdeploy.discover import discover
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.errors import BootFailed, Cancelled
from pushdeploy.domain.gate import Gate
from pushdeploy.domain.manifest import Limits, Manifest, Mount, ProcessSpec
from pushdeploy.domain.names import AppName, ImageDigest, ProcessType
from pushdeploy.domain.ports import Engine, Scheduler, WindowSize
from pushdeploy.domain.slug import Healthcheck
from pushdeploy.domain.task import Slot
from pushdeploy.output import Output, Quiet
from pushdeploy.route.deadline import until
from pushdeploy.run.once import TIMED_OUT
from tests.fakes import FakeEngine

SCHEDULERS = discover(pushdeploy.run.schedulers, "SCHEDULER")
APP = AppName("shop")
WEB1 = Slot(ProcessType("web"), 1)
WORKER1 = Slot(ProcessType("worker"), 1)
WORKER2 = Slot(ProcessType("worker"), 2)
SERVE = 'mkdir -p "$SITE"; echo fine > "$SITE/ok"; echo serving; exec httpd -f -p $PORT -h "$SITE"'


@dataclass
class Typed:
    """Streams of a client that has sent ``given`` and then closed its input."""

    given: list[bytes] = field(default_factory=list)
    terminal: str | None = None
    out: bytes = b""
    errors: bytes = b""

    def read(self, most: int = 65536) -> bytes:
        return self.given.pop(0) if self.given else b""

    def write(self, data: bytes) -> None:
        self.out += data

    def write_error(self, data: bytes) -> None:
        self.errors += data

    def on_resize(self, resized: Callable[[WindowSize], None]) -> None:
        resized(WindowSize())


@dataclass
class Bench:
    scheduler: Scheduler
    engine: Engine
    manifest: Manifest

    def with_commands(self, **commands: str) -> Manifest:
        return self.with_processes(**{kind: ProcessSpec(c, 1) for kind, c in commands.items()})

    def with_processes(self, **processes: ProcessSpec) -> Manifest:
        typed = {ProcessType(kind): spec for kind, spec in processes.items()}
        return replace(self.manifest, processes=typed)

    def run(self, manifest: Manifest, *slots: Slot) -> list[str]:
        """What the output said."""
        said: list[str] = []
        self.scheduler.run(manifest, slots or manifest.slots(), Output(said.append), Cancellation())
        return said

    def once(
        self, command: str, streams: Typed | None = None, timeout_seconds: float | None = 60
    ) -> tuple[int, Typed]:
        streams = streams or Typed()
        code = self.scheduler.run_once(
            self.manifest, command, "run.1", streams, timeout_seconds, Cancellation()
        )
        return code, streams

    def behind(self, gate: Gate, command: str, streams: Typed) -> int:
        return self.scheduler.run_once(
            self.manifest, command, "release.1", streams, 60, Cancellation(), gate=gate
        )

    def lines(self, process: str | None = None, tail: int = 100) -> list[tuple[str, str]]:
        found = self.scheduler.logs(
            APP, tail=tail, follow=False, process=process, stop=lambda: False
        )
        return [(slot, line.text) for slot, line in found]


@pytest.fixture(params=["fake", pytest.param("docker", marks=pytest.mark.docker)])
def engine_and_image(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[tuple[Engine, str, dict[str, str], int]]:
    """The engine, an image, the environment in which SERVE works there, and a port."""
    if request.param == "docker":
        engine = request.getfixturevalue("engine")
        image = request.getfixturevalue("tiny_image")
        yield engine, image, {"SITE": "/tmp/site"}, 5000
        return
    fake = FakeEngine()
    fake.add_image("tiny:1")
    httpd = tmp_path / "bin" / "httpd"
    httpd.parent.mkdir()
    httpd.write_text(
        f'#!/bin/sh\nexec {sys.executable} -m http.server --bind 127.0.0.1 -d "$5" "$3" 2>&1\n'
    )
    httpd.chmod(0o755)
    environment = {"PATH": f"{httpd.parent}:/usr/bin:/bin", "SITE": str(tmp_path / "site")}
    yield fake, "tiny:1", environment, _free_port()
    fake.close()


@pytest.fixture(params=sorted(SCHEDULERS))
def bench(
    request: pytest.FixtureRequest,
    engine_and_image: tuple[Engine, str, dict[str, str], int],
    instance: str,
    tmp_path: Path,
) -> Bench:
    engine, image, environment, port = engine_and_image
    make: Any = SCHEDULERS[request.param]
    manifest = Manifest(
        app=APP,
        version=3,
        image=ImageDigest(image),
        environment={"GREETING": "hello", **environment},
        processes={},
        mounts=[],
        user=None,
        group=20001,
        port=port,
        limits=Limits(64 * 1024 * 1024),
        boot_timeout_seconds=20,
        stop_grace_seconds=5,
    )
    return Bench(make(engine, instance, tmp_path / "logs"), engine, manifest)


def test_tasks_that_became_healthy_are_up_and_read_back(bench: Bench) -> None:
    manifest = bench.with_commands(web=SERVE, worker="echo working; sleep 60")
    said = bench.run(manifest)
    tasks = bench.scheduler.tasks(APP)
    assert {(task.slot, task.version, task.state, task.port) for task in tasks} == {
        (WEB1, 3, "up", manifest.port),
        (WORKER1, 3, "up", manifest.port),
    }
    assert all(task.address for task in tasks)
    assert all(task.image.startswith("sha256:") for task in tasks)
    assert sorted(line.split(" (")[0].strip() for line in said) == ["web.1 is up", "worker.1 is up"]


def test_tasks_see_config_their_name_and_the_port(bench: Bench) -> None:
    web = f'echo "$GREETING $DYNO $PORT"; {SERVE}'
    manifest = bench.with_commands(web=web, worker='echo "$DYNO ${PORT:-none}"; sleep 60')
    bench.run(manifest)
    said = bench.lines()
    assert ("web.1", f"hello web.1 {manifest.port}") in said
    assert ("worker.1", "worker.1 none") in said


def test_a_task_that_exits_early_fails_with_its_last_words(bench: Bench) -> None:
    manifest = bench.with_commands(web="echo cannot find my config; exit 3")
    with pytest.raises(BootFailed) as caught:
        bench.run(manifest)
    assert caught.value.message == "web.1 exited with code 3 before it answered"
    assert caught.value.exit_code == 3
    assert caught.value.log_tail == ("cannot find my config",)
    assert caught.value.hint


def test_a_failed_start_leaves_none_of_its_tasks_but_all_of_the_others(bench: Bench) -> None:
    former = bench.with_commands(worker="sleep 60")
    bench.run(former)
    before = bench.scheduler.tasks()
    next_one = replace(bench.with_commands(worker="sleep 60", other="exit 1"), version=4)
    with pytest.raises(BootFailed):
        bench.run(next_one)
    assert bench.scheduler.tasks() == before


def test_web_that_does_not_answer_fails_at_the_time_out(bench: Bench) -> None:
    manifest = replace(bench.with_commands(web="echo idle; sleep 60"), boot_timeout_seconds=1.5)
    with pytest.raises(BootFailed) as caught:
        bench.run(manifest)
    port = manifest.port
    assert caught.value.message == f"web.1 did not answer on port {port} within 1.5 s"
    assert caught.value.log_tail == ("idle",)
    assert bench.scheduler.tasks() == []


def test_a_worker_must_stay_up_for_a_second(bench: Bench) -> None:
    with pytest.raises(BootFailed, match=r"worker\.1 exited with code 0 before it had been up"):
        bench.run(bench.with_commands(worker="sleep 0.4"))


def test_the_apps_own_check_decides(bench: Bench) -> None:
    bad = Healthcheck("ready", path="/none", attempts=2, wait_seconds=0.1, timeout_seconds=5)
    manifest = bench.with_processes(web=ProcessSpec(SERVE, 1, [bad]))
    with pytest.raises(BootFailed, match="check ready: /none answered with status 404"):
        bench.run(manifest)
    good = replace(bad, path="/ok", content="fine")
    bench.run(bench.with_processes(web=ProcessSpec(SERVE, 1, [good])))


def test_a_check_by_command_runs_inside(bench: Bench) -> None:
    bad = Healthcheck("inside", command=["/bin/sh", "-c", "exit 5"], attempts=2, wait_seconds=0.1)
    with pytest.raises(BootFailed, match="check inside: exit code 5"):
        bench.run(bench.with_processes(worker=ProcessSpec("sleep 60", 1, [bad])))
    good = replace(bad, command=["/bin/sh", "-c", "exit 0"])
    bench.run(bench.with_processes(worker=ProcessSpec("sleep 60", 1, [good])))


def test_a_cancel_ends_a_start_within_two_seconds_and_leaves_nothing(bench: Bench) -> None:
    cancellation = Cancellation()
    manifest = bench.with_commands(web="sleep 60", worker="sleep 60")
    with bench.engine.events() as events:
        cancelled_at: list[float] = []

        def cancel() -> None:
            next(event for event in events if event.action == "start")
            cancelled_at.append(time.monotonic())
            cancellation.cancel("the client has gone")

        canceller = threading.Thread(target=cancel)
        canceller.start()
        with pytest.raises(Cancelled):
            bench.scheduler.run(manifest, manifest.slots(), Output(), cancellation)
        ended_at = time.monotonic()
        canceller.join(10)
    assert ended_at - cancelled_at[0] < 2
    assert bench.scheduler.tasks() == []


def test_stop_lets_tasks_end_and_keeps_their_logs(bench: Bench) -> None:
    bench.run(bench.with_commands(worker="trap 'echo bye; exit 0' TERM; echo hi; sleep 60 & wait"))
    bench.scheduler.stop(bench.scheduler.tasks(), 10)
    assert bench.scheduler.tasks() == []
    assert bench.lines() == [("worker.1", "hi"), ("worker.1", "bye")]


def test_stop_reaches_the_children_of_the_shell(bench: Bench) -> None:
    child = "trap 'sleep 0.3; echo child done; exit 0' TERM; echo up; sleep 60 & wait"
    bench.run(bench.with_commands(worker=f'cd / && /bin/sh -c "{child}"'))
    bench.scheduler.stop(bench.scheduler.tasks(), 10)
    assert bench.lines()[-1] == ("worker.1", "child done")


def test_a_task_that_crashes_is_reported_and_comes_back(bench: Bench) -> None:
    with _changes(bench.scheduler) as changes:
        assert changes.get(timeout=20) is None
        bench.run(bench.with_commands(worker="sleep 1.6; exit 1"))
        assert changes.get(timeout=20) == APP
        assert changes.get(timeout=20) == APP
    assert [task.state for task in bench.scheduler.tasks(APP)] == ["up"]


def test_what_the_scheduler_does_itself_is_no_change(bench: Bench) -> None:
    with _changes(bench.scheduler) as changes:
        assert changes.get(timeout=20) is None
        bench.run(bench.with_commands(worker="sleep 60"))
        bench.scheduler.stop(bench.scheduler.tasks(), 5)
        bench.once("true")
        with pytest.raises(queue.Empty):
            changes.get(timeout=0.5)


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
        began = time.monotonic()
        with pytest.raises(Cancelled):
            bench.scheduler.run_once(
                bench.manifest, "sleep 60", "run.2", Typed(), None, cancellation
            )
        canceller.join(10)
    assert time.monotonic() - began < 10
    assert bench.engine.containers({}) == []


def test_a_one_off_behind_a_gate_is_ready_and_begins_when_it_opens(bench: Bench) -> None:
    gate, streams = Gate(), Typed()
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(bench.behind, gate, "echo begun; exit 3", streams)
        assert gate.await_ready(1, 60)
        assert (streams.out, ended.done()) == (b"", False)
        gate.open()
        assert ended.result(60) == 3
    assert streams.out == b"begun\n"
    assert bench.engine.containers({}) == []


def test_a_one_off_behind_a_gate_that_is_shut_never_begins(bench: Bench) -> None:
    gate, streams = Gate(), Typed()
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(bench.behind, gate, "echo begun", streams)
        assert gate.await_ready(1, 60)
        gate.shut()
        with pytest.raises(Cancelled):
            ended.result(60)
    assert streams.out == b""
    assert bench.engine.containers({}) == []


def test_one_offs_see_the_mounts_and_extra_variables(bench: Bench, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    target = str(disk) if isinstance(bench.engine, FakeEngine) else "/data"
    manifest = replace(bench.manifest, mounts=[Mount(str(disk), target)])
    code = bench.scheduler.run_once(
        manifest,
        f"echo $RELEASE_PHASE > {target}/note",
        "release.3",
        Typed(),
        60,
        Cancellation(),
        {"RELEASE_PHASE": "1"},
    )
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
    assert 0 < tried.boot_seconds < 20
    assert tried.stop_seconds < 5
    assert bench.engine.containers({}) == []
    assert bench.lines() == []
    broken = bench.with_commands(web="echo no module; exit 3")
    with pytest.raises(BootFailed) as caught:
        bench.scheduler.try_out(broken, WEB1, 5, Quiet(), Cancellation())
    assert (caught.value.exit_code, caught.value.log_tail) == (3, ("no module",))
    assert bench.engine.containers({}) == []


def test_time_runs_on_for_a_command_whose_server_was_killed_regression(bench: Bench) -> None:
    successor = _successor(bench)
    arguments = (bench.with_commands(), "sleep 60", "release.4", Typed(), 60)
    with bench.engine.events() as events:
        thread = threading.Thread(
            target=bench.scheduler.run_once, args=(*arguments, Cancellation())
        )
        thread.start()
        next(e for e in events if e.action == "start")
        began = time.monotonic()
        assert successor.finish_once(APP, "release.4", 2, print) == TIMED_OUT
    thread.join(10)
    assert time.monotonic() - began < 30
    assert bench.engine.containers({}) == []


def test_what_a_killed_server_has_rehearsed_is_a_stray(bench: Bench) -> None:
    manifest = replace(bench.with_commands(), rehearsal=True)
    name, successor = "release.4", _successor(bench)
    arguments = (manifest, "sleep 60", name, Typed(), 60, Cancellation())
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


def _successor(bench: Bench) -> Scheduler:
    """That of a server that has been started again."""
    made: Scheduler = type(bench.scheduler)(bench.engine, "x", Path("/nowhere"))  # type: ignore[call-arg]
    return made


def test_a_never_healthy_task_of_a_killed_server_counts_as_stopped(bench: Bench) -> None:
    bench.run(bench.with_commands(worker="sleep 60"))
    (task,) = bench.scheduler.tasks()
    bench.engine.keep_running(task.container, always=False)
    successor = _successor(bench)
    assert [task.state for task in successor.tasks()] == ["stopped"]
    bench.engine.keep_running(task.container, always=True)
    assert [task.state for task in successor.tasks()] == ["up"]


def test_logs_are_merged_by_time_and_cut_to_the_newest(bench: Bench) -> None:
    bench.run(
        bench.with_commands(
            a="echo a1; sleep 2.5; echo a2; sleep 60", b="sleep 1.2; echo b1; sleep 60"
        )
    )
    assert until(lambda: len(bench.lines()) == 3, 20)
    assert bench.lines() == [("a.1", "a1"), ("b.1", "b1"), ("a.1", "a2")]
    assert bench.lines(tail=2) == [("b.1", "b1"), ("a.1", "a2")]
    assert bench.lines("b") == [("b.1", "b1")]
    assert bench.lines("a.1", tail=1) == [("a.1", "a2")]
    assert bench.lines("a.2") == []


def test_following_logs_goes_on_with_tasks_that_start_later(bench: Bench) -> None:
    bench.run(bench.with_commands(worker="echo old; sleep 60"))
    done = threading.Event()
    seen: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()

    def follow() -> None:
        for slot, line in bench.scheduler.logs(
            APP, tail=10, follow=True, process=None, stop=done.is_set
        ):
            seen.put((slot, line.text))

    thread = threading.Thread(target=follow)
    thread.start()
    assert seen.get(timeout=20) == ("worker.1", "old")
    later = replace(
        bench.with_processes(worker=ProcessSpec("echo new; sleep 1.3; echo more; sleep 60", 2)),
        version=4,
    )
    bench.run(later, WORKER2)
    assert seen.get(timeout=20) == ("worker.2", "new")
    assert seen.get(timeout=20) == ("worker.2", "more")
    done.set()
    thread.join(10)
    assert not thread.is_alive()
    assert seen.empty()


class _changes:  # noqa: N801 - reads as a verb in a with statement
    """The scheduler's changes in a queue, so that they can be waited for with a deadline."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._context = scheduler.changes()
        self._queue: queue.Queue[AppName | None] = queue.Queue()

    def __enter__(self) -> "queue.Queue[AppName | None]":
        changes = self._context.__enter__()

        def listen() -> None:
            for change in changes:
                self._queue.put(change)

        self._thread = threading.Thread(target=listen)
        self._thread.start()
        return self._queue

    def __exit__(self, *error: Any) -> None:
        self._context.__exit__(*error)
        self._thread.join(10)
        assert not self._thread.is_alive()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
