"""What only real containers can show: terminals, memory, users, crashes, the release hook."""

import os
import queue
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.container import ContainerInfo
from pushdeploy.domain.errors import BootFailed, Cancelled
from pushdeploy.domain.manifest import Limits, Manifest, Mount, ProcessSpec
from pushdeploy.domain.names import AppName, ImageDigest, ProcessType
from pushdeploy.domain.one_off import OneOff
from pushdeploy.domain.ports.streams import WindowSize
from pushdeploy.domain.slug import Healthcheck
from pushdeploy.engine.docker import DockerEngine
from pushdeploy.instance import Home
from pushdeploy.locks.start_gate import OneTimeGate
from pushdeploy.output import Output
from pushdeploy.run.choice import SchedulerGround
from pushdeploy.run.schedulers.docker_local.scheduler import DockerLocal
from pushdeploy.settings import load_settings

pytestmark = pytest.mark.docker

APP = AppName("shop")
SERVE = "echo serving; mkdir -p /tmp/site; exec httpd -f -p $PORT -h /tmp/site"


@dataclass
class Keyboard:
    """Streams of a client with a terminal, whose keys the test presses."""

    terminal: str | None = "xterm-256color"
    out: bytes = b""
    errors: bytes = b""
    keys: "queue.SimpleQueue[bytes]" = field(default_factory=queue.SimpleQueue)
    resized: Callable[[WindowSize], None] | None = None
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def read(self, most: int = 65536) -> bytes:
        return self.keys.get()

    def write(self, data: bytes) -> None:
        with self.arrived:
            self.out += data
            self.arrived.notify_all()

    def write_error(self, data: bytes) -> None:
        self.errors += data

    def on_resize(self, resized: Callable[[WindowSize], None]) -> None:
        self.resized = resized
        resized(WindowSize(100, 40))

    def wait_for(self, text: bytes) -> None:
        with self.arrived:
            assert self.arrived.wait_for(lambda: text in self.out, 20), self.out


@dataclass
class Bench:
    engine: DockerEngine
    scheduler: DockerLocal
    manifest: Manifest

    def run(self, **commands: str) -> Manifest:
        manifest = self.with_commands(**commands)
        self.scheduler.run(manifest, manifest.slots(), Output(), Cancellation())
        return manifest

    def wait_for_container(self) -> ContainerInfo:
        """The first one that runs."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            running = [info for info in self.engine.containers({}) if info.state == "running"]
            if running:
                return running[0]
        raise AssertionError("no container runs")

    def with_commands(self, **commands: str) -> Manifest:
        processes = {ProcessType(kind): ProcessSpec(text, 1) for kind, text in commands.items()}
        return replace(self.manifest, processes=processes)

    def once(self, command: str, name: str = "run.1", **environment: str) -> tuple[int, str]:
        streams = Keyboard(terminal=None)
        streams.keys.put(b"")
        code = self.scheduler.run_once(
            OneOff(self.manifest, command, name, 60, environment), streams, Cancellation()
        )
        return code, streams.out.decode()


def _threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


@pytest.fixture
def bench(engine: DockerEngine, tiny_image: str, instance: str, tmp_path: Path) -> Bench:
    image = engine.image(tiny_image)
    assert image is not None
    manifest = Manifest(
        app=APP,
        version=3,
        image=ImageDigest(image.id),
        environment={},
        processes={},
        mounts=[],
        user="20001:1000",
        group=20001,
        port=5000,
        limits=Limits(64 * 1024 * 1024),
        boot_timeout_seconds=20,
        stop_grace_seconds=5,
    )
    ground = SchedulerGround(engine, instance, Home(tmp_path), load_settings(home=tmp_path))
    return Bench(engine, DockerLocal(ground), manifest)


def test_a_task_that_takes_too_much_memory_is_told_so(bench: Bench) -> None:
    bench.manifest = replace(bench.manifest, limits=Limits(16 * 1024 * 1024))
    with pytest.raises(BootFailed) as caught:
        bench.run(worker="echo filling; sleep 0.1; tail /dev/zero")
    assert (
        caught.value.message
        == "worker.1 does not start: killed for its memory: 16 MB are all that it may use"
    )
    assert caught.value.log_tail[0] == "filling"
    assert "memory" in caught.value.hint


def test_a_one_off_that_takes_too_much_memory_is_told_so(bench: Bench) -> None:
    bench.manifest = replace(bench.manifest, limits=Limits(16 * 1024 * 1024))
    client = Keyboard(terminal=None)
    client.keys.put(b"")
    code = bench.scheduler.run_once(
        OneOff(bench.manifest, "tail /dev/zero; exit 3", "run.1", 60), client, Cancellation()
    )
    assert code == 3
    why = b"out of memory: 16 MB are all that it may use; PUSHDEPLOY_TASK_MEMORY_BYTES allows more"
    assert client.errors.splitlines()[-1] == why


def test_a_web_that_listens_but_never_answers_is_given_up(bench: Bench) -> None:
    bench.manifest = replace(bench.manifest, boot_timeout_seconds=2)
    with pytest.raises(BootFailed, match=r"not healthy on port 5000 within 2 s: no answer"):
        bench.run(web="nc -l -p $PORT -e sleep 60")
    assert bench.scheduler.tasks() == []


def test_a_cancel_cuts_short_a_request_that_nobody_answers(bench: Bench) -> None:
    cancellation = Cancellation()
    check = Healthcheck(path="/", timeout_seconds=3600)
    web = ProcessSpec("echo up; nc -l -p $PORT -e sleep 3600", 1, [check])
    manifest = replace(
        bench.manifest, processes={ProcessType("web"): web}, boot_timeout_seconds=3600
    )
    failures: list[BaseException] = []

    def run() -> None:
        try:
            bench.scheduler.run(manifest, manifest.slots(), Output(), cancellation)
        except Exception as error:  # noqa: BLE001 - looked at below
            failures.append(error)

    with bench.engine.events() as events:
        thread = threading.Thread(target=run)
        thread.start()
        started = next(event for event in events if event.action == "start")
    with bench.engine.logs(started.container, follow=True) as lines:
        next(lines)
    cancellation.cancel("the client has gone")
    thread.join(60)
    assert not thread.is_alive()
    assert [type(failure).__name__ for failure in failures] == ["Cancelled"]
    assert bench.engine.containers({}) == []


def test_a_cancel_cuts_short_a_check_that_hangs(bench: Bench, tmp_path: Path) -> None:
    note = tmp_path / "disk" / "note"
    note.parent.mkdir()
    note.parent.chmod(0o777)
    hang = Healthcheck(
        command=["/bin/sh", "-c", "echo > /data/note; sleep 3600"], timeout_seconds=3600
    )
    manifest = replace(
        bench.manifest,
        processes={ProcessType("worker"): ProcessSpec("sleep 3600", 1, [hang])},
        boot_timeout_seconds=3600,
        mounts=[Mount(str(note.parent), "/data")],
    )
    cancellation = Cancellation()

    def cancel() -> None:
        deadline = time.monotonic() + 60
        while not note.exists() and time.monotonic() < deadline:
            threading.Event().wait(0.02)
        cancellation.cancel("the client has gone")

    thread = threading.Thread(target=cancel)
    thread.start()
    with pytest.raises(Cancelled):
        bench.scheduler.run(manifest, manifest.slots(), Output(), cancellation)
    thread.join(10)
    assert bench.scheduler.tasks() == []


def test_running_tasks_cost_the_server_no_thread(bench: Bench) -> None:
    before = _threads()
    bench.run(web=SERVE, worker="sleep 60")
    deadline = time.monotonic() + 60
    while _threads() - before and time.monotonic() < deadline:
        threading.Event().wait(0.05)
    assert _threads() - before == set()


def test_a_killed_container_is_a_change_and_comes_back_with_an_address(bench: Bench) -> None:
    bench.run(web=SERVE)
    (task,) = bench.scheduler.tasks(APP)
    with bench.scheduler.changes() as changes:
        assert next(changes) is None
        pid = bench.engine.api.inspect_container(task.container)["State"]["Pid"]
        os.kill(pid, signal.SIGKILL)
        assert next(changes) == APP
        assert next(changes) == APP
    (again,) = bench.scheduler.tasks(APP)
    assert (again.container, again.state) == (task.container, "up")
    assert again.address


def test_tasks_behind_a_gate_are_made_ready_and_begin_when_it_opens(bench: Bench) -> None:
    gate = OneTimeGate()
    manifest = bench.with_commands(web=SERVE)
    with ThreadPoolExecutor(1) as pool:
        started = pool.submit(
            bench.scheduler.run, manifest, manifest.slots(), Output(), Cancellation(), gate
        )
        info = bench.wait_for_container()
        with bench.engine.logs(info.id) as lines:
            assert list(lines) == []
        gate.open()
        (task,) = started.result(30)
    with bench.engine.logs(task.container) as lines:
        assert [line.text for line in lines] == ["serving"]


def test_a_shut_gate_leaves_nothing(bench: Bench) -> None:
    gate = OneTimeGate()
    manifest = bench.with_commands(web=SERVE)
    with ThreadPoolExecutor(1) as pool:
        started = pool.submit(
            bench.scheduler.run, manifest, manifest.slots(), Output(), Cancellation(), gate
        )
        bench.wait_for_container()
        gate.shut()
        with pytest.raises(Cancelled):
            started.result(30)
    assert bench.engine.containers({}) == []


def test_a_task_that_waited_at_a_gate_begins_by_itself_after_a_crash(bench: Bench) -> None:
    gate = OneTimeGate()
    gate.open()
    manifest = bench.with_commands(web=SERVE)
    (task,) = bench.scheduler.run(manifest, manifest.slots(), Output(), Cancellation(), gate)
    bench.scheduler.confirm([task])
    with bench.scheduler.changes() as changes:
        assert next(changes) is None
        pid = bench.engine.api.inspect_container(task.container)["State"]["Pid"]
        os.kill(pid, signal.SIGKILL)
        assert [next(changes), next(changes)] == [APP, APP]
    with bench.engine.logs(task.container, follow=True) as lines:
        assert [next(lines).text, next(lines).text] == ["serving", "serving"]


def test_a_task_that_ends_before_it_is_confirmed_is_replaced(bench: Bench) -> None:
    """Nobody starts it anew: not the engine, which was not told to, and not who made it."""
    gate = OneTimeGate()
    gate.open()
    manifest = bench.with_commands(web=SERVE)
    (task,) = bench.scheduler.run(manifest, manifest.slots(), Output(), Cancellation(), gate)
    assert [found.state for found in bench.scheduler.tasks(APP)] == ["starting"]
    bench.engine.signal(task.container, "KILL")
    bench.engine.wait(task.container)
    assert [found.state for found in bench.scheduler.tasks(APP)] == ["stopped"]
    with pytest.raises(BootFailed, match="ended when traffic went to it"):
        bench.scheduler.confirm([task])


def test_a_one_off_behind_a_gate_has_started_when_it_opens(bench: Bench) -> None:
    gate, client = OneTimeGate(), Keyboard(terminal=None)
    client.keys.put(b"")
    with ThreadPoolExecutor(1) as pool:
        ended = pool.submit(
            bench.scheduler.run_once,
            OneOff(bench.manifest, "cat; echo begun; exit 3", "release.1", 60),
            client,
            Cancellation(),
            gate=gate,
        )
        assert gate.await_ready(1, 60)
        (info,) = bench.engine.containers({})
        assert (info.state, client.out) == ("running", b"")
        gate.open()
        assert ended.result(60) == 3
    assert client.out == b"begun\n"
    assert bench.engine.containers({}) == []


def test_a_task_has_the_apps_user_and_the_disks_group(bench: Bench, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    os.chown(disk, 20001, 20001)
    disk.chmod(0o2770)
    bench.manifest = replace(bench.manifest, mounts=[Mount(str(disk), "/data")])
    code, said = bench.once("id -u; id -g; id -G; pwd; echo $HOME; echo mine > /data/note")
    assert (code, said.split()) == (0, ["20001", "1000", "1000", "20001", "/app", "/app"])
    assert (disk / "note").stat().st_uid == 20001


def test_a_mount_that_is_gone_fails_the_start_with_its_name(bench: Bench, tmp_path: Path) -> None:
    bench.manifest = replace(bench.manifest, mounts=[Mount(str(tmp_path / "no"), "/data")])
    with pytest.raises(BootFailed, match=r"worker.1 could not be started: .* path does not exist"):
        bench.run(worker="sleep 60")


def test_an_image_of_somebody_else_starts_its_own_command(bench: Bench, tiny_image: str) -> None:
    command = ["/bin/sh", "-c", "id -u; pwd; " + SERVE]
    container = bench.engine.api.create_container(
        tiny_image, command, labels={"pushdeploy.instance": bench.engine.instance}
    )["Id"]
    bench.engine.api.commit(
        container,
        f"pushdeploy-test-{bench.engine.instance}",
        "own",
        conf={"WorkingDir": "/tmp", "Labels": {"pushdeploy.made-by": bench.engine.instance}},
    )
    image = bench.engine.image(f"pushdeploy-test-{bench.engine.instance}:own")
    assert image is not None
    bench.manifest = replace(bench.manifest, image=image.id, user=None)
    bench.run(web="")
    found = bench.scheduler.logs(APP, tail=10, follow=False, process=None, stop=lambda: True)
    said = [line.text for _, line in filter(None, found)]
    assert said == ["0", "/tmp", "serving"]


def test_a_release_command_runs_through_the_shipped_hook(bench: Bench) -> None:
    code, said = bench.once(
        'echo "$0 $DYNO $RELEASE_PHASE"; exit 4', "release.3", RELEASE_PHASE="1"
    )
    assert (code, said) == (4, "sh release.3 1\n")


def test_a_terminal_has_the_clients_size_keys_and_exit_code(bench: Bench) -> None:
    client = Keyboard()
    codes: list[int] = []

    def run() -> None:
        command = "echo $TERM; stty size; read x; stty size; tty; sleep 60; cat; exit 7"
        codes.append(
            bench.scheduler.run_once(
                OneOff(bench.manifest, command, "run.1"), client, Cancellation()
            )
        )

    thread = threading.Thread(target=run)
    thread.start()
    client.wait_for(b"40 100")
    assert client.resized is not None
    client.resized(WindowSize(132, 50))
    client.keys.put(b"\r")
    client.wait_for(b"/dev/")
    deadline = time.monotonic() + 20
    while thread.is_alive() and time.monotonic() < deadline:
        thread.join(0.5)  # one that meets the command before, or none, is not what is tried
        client.keys.put(b"\x03")
    assert not thread.is_alive()
    assert b"xterm-256color" in client.out
    assert b"50 132" in client.out
    assert codes == [130]
    client.keys.put(b"")


def test_the_end_of_a_terminals_input_is_control_d(bench: Bench) -> None:
    client = Keyboard()
    client.keys.put(b"one\r")
    client.keys.put(b"")
    code = bench.scheduler.run_once(
        OneOff(bench.manifest, "cat; echo over; exit 7", "run.1", 30), client, Cancellation()
    )
    assert code == 7
    assert client.out.endswith(b"over\r\n")
