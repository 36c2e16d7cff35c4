"""What every engine does: the real one, and the fake that stands in for it."""

import io
import secrets
import tarfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from pushdeploy.domain.container import ContainerSpec, EngineEvent, ImageChange
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.ports.engine import Engine
from tests.fakes import FakeEngine


@dataclass
class Bench:
    """An engine, an image with a shell in it, and a container made of a script."""

    engine: Engine
    image: str

    def create(
        self,
        script: str,
        *,
        labels: Mapping[str, str] | None = None,
        name: str = "",
        open_stdin: bool = False,
        stdin_stays: bool = False,
    ) -> str:
        return self.engine.create(
            ContainerSpec(
                image=self.image,
                name=name or f"contract-{secrets.token_hex(6)}",
                labels=labels or {},
                command=["/bin/sh", "-c", script],
                entrypoint=[],
                environment={"TINI_KILL_PROCESS_GROUP": "1"},
                open_stdin=open_stdin,
                stdin_stays=stdin_stays,
            )
        )

    def run(self, script: str) -> str:
        container = self.create(script)
        self.engine.start(container)
        return container

    def log_of(self, container: str) -> list[tuple[int, str]]:
        self.engine.wait(container)
        with self.engine.logs(container) as lines:
            return [(line.stream, line.text) for line in lines]


@pytest.fixture(params=["fake", pytest.param("docker", marks=pytest.mark.docker)])
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    if request.param == "docker":
        yield Bench(request.getfixturevalue("engine"), request.getfixturevalue("tiny_image"))
        return
    engine = FakeEngine()
    engine.add_image("tiny:1")
    yield Bench(engine, "tiny:1")
    engine.close()


def test_wait_gives_the_exit_code(bench: Bench) -> None:
    container = bench.run("exit 7")
    assert bench.engine.wait(container) == 7
    info = bench.engine.inspect(container)
    assert info is not None
    assert (info.state, info.exit_code, info.address) == ("exited", 7, "")


def test_logs_tell_stdout_from_stderr(bench: Bench) -> None:
    container = bench.run("echo out; sleep 0.2; echo err >&2; sleep 0.2; printf unfinished")
    assert bench.log_of(container) == [(1, "out"), (2, "err"), (1, "unfinished")]


def test_tail_gives_the_newest_lines(bench: Bench) -> None:
    container = bench.run("for i in 1 2 3 4 5; do echo line $i; done")
    bench.engine.wait(container)
    with bench.engine.logs(container, tail=2) as lines:
        assert [line.text for line in lines] == ["line 4", "line 5"]


def test_a_very_long_line_stays_one_line(bench: Bench) -> None:
    script = 'x=0123456789; for i in 1 2 3 4 5 6 7 8 9 10 11 12; do x="$x$x"; done; echo $x'
    container = bench.run(script)
    assert [len(text) for _, text in bench.log_of(container)] == [40960]


def test_following_logs_ends_with_the_container(bench: Bench) -> None:
    container = bench.run("echo one; sleep 0.3; echo two")
    with bench.engine.logs(container, follow=True) as lines:
        assert [line.text for line in lines] == ["one", "two"]


def test_following_logs_ends_when_the_context_is_left(bench: Bench) -> None:
    container = bench.run("echo one; sleep 60")
    seen: list[str] = []
    first = threading.Event()

    with bench.engine.logs(container, follow=True) as lines:

        def follow() -> None:
            for line in lines:
                seen.append(line.text)
                first.set()

        thread = threading.Thread(target=follow)
        thread.start()
        assert first.wait(20)
    thread.join(10)
    assert not thread.is_alive()
    assert seen == ["one"]


def test_attached_streams_carry_input_output_and_errors(bench: Bench) -> None:
    container = bench.create("read x; echo got $x; cat; echo bad >&2; exit 4", open_stdin=True)
    attached = bench.engine.attach(container, tty=False)
    bench.engine.start(container)
    attached.write(b"first\nsecond\n")
    attached.end_input()
    said: dict[int, bytes] = {1: b"", 2: b""}
    while (part := attached.read()) is not None:
        said[part[0]] += part[1]
    attached.close()
    assert said == {1: b"got first\nsecond\n", 2: b"bad\n"}
    assert bench.engine.wait(container) == 4


@pytest.mark.parametrize("stays", [False, True])
def test_input_ends_with_whoever_was_attached_unless_it_stays(bench: Bench, stays: bool) -> None:
    container = bench.create("echo up; read x; echo $x", open_stdin=True, stdin_stays=stays)
    left = bench.engine.attach(container, tty=False)
    bench.engine.start(container)
    assert left.read() == (1, b"up\n")
    left.close()
    if stays:
        other = bench.engine.attach(container, tty=False)
        other.write(b"still here\n")
        other.close()
    assert bench.log_of(container) == [(1, "up"), (1, "still here" if stays else "")]


def test_a_signal_reaches_the_process(bench: Bench) -> None:
    container = bench.run("sleep 60")
    bench.engine.signal(container, "KILL")
    assert bench.engine.wait(container) == 137
    bench.engine.signal(container, "KILL")


def test_stop_lets_the_process_end_by_itself(bench: Bench) -> None:
    container = bench.run("trap 'echo bye; exit 9' TERM; echo up; while :; do sleep 0.1; done")
    with bench.engine.logs(container, follow=True) as lines:
        assert next(lines).text == "up"
    bench.engine.stop(container, 20)
    info = bench.engine.inspect(container)
    assert info is not None
    assert info.exit_code == 9
    assert (1, "bye") in bench.log_of(container)


def test_stop_kills_what_does_not_end(bench: Bench) -> None:
    container = bench.run("trap '' TERM; echo up; while :; do sleep 0.1; done")
    with bench.engine.logs(container, follow=True) as lines:
        assert next(lines).text == "up"
    bench.engine.stop(container, 1)
    info = bench.engine.inspect(container)
    assert info is not None
    assert info.exit_code == 137


def test_removing_kills_and_twice_is_once(bench: Bench) -> None:
    container = bench.run("sleep 60")
    bench.engine.remove(container)
    bench.engine.remove(container)
    assert bench.engine.inspect(container) is None


def test_containers_are_found_by_their_labels_oldest_first(bench: Bench) -> None:
    first = bench.create("true", labels={"kind": "a", "n": "1"})
    other = bench.create("true", labels={"kind": "b"})
    second = bench.create("true", labels={"kind": "a", "n": "2"})
    assert [info.id for info in bench.engine.containers({"kind": "a"})] == [first, second]
    assert [info.id for info in bench.engine.containers({"n": ""})] == [first, second]
    assert [info.id for info in bench.engine.containers({})] == [first, other, second]


def test_a_running_container_has_an_address(bench: Bench) -> None:
    container = bench.create("sleep 60")
    before = bench.engine.inspect(container)
    bench.engine.start(container)
    after = bench.engine.inspect(container)
    assert before is not None
    assert after is not None
    assert (before.state, before.address) == ("created", "")
    assert after.state == "running"
    assert after.address


def test_an_unknown_image_is_an_error_of_ours(bench: Bench) -> None:
    spec = ContainerSpec(image="no-such-image:1", name="contract-none", labels={})
    with pytest.raises(PushdeployError, match="image"):
        bench.engine.create(spec)
    assert bench.engine.image("no-such-image:1") is None


def test_a_program_that_does_not_exist_exits_with_127(bench: Bench) -> None:
    spec = ContainerSpec(
        bench.image, f"contract-{secrets.token_hex(6)}", {}, command=["/no/such"], entrypoint=[]
    )
    container = bench.engine.create(spec)
    bench.engine.start(container)
    assert bench.engine.wait(container) == 127
    assert any("/no/such" in text for _, text in bench.log_of(container))


def test_a_name_can_be_had_once(bench: Bench) -> None:
    name = f"contract-{secrets.token_hex(6)}"
    bench.create("true", name=name)
    with pytest.raises(PushdeployError, match=name):
        bench.create("true", name=name)


def test_a_kept_container_comes_back_after_a_crash(bench: Bench) -> None:
    container = bench.run("sleep 0.7; exit 3")
    bench.engine.keep_running(container, always=True)
    info = bench.engine.inspect(container)
    assert info is not None
    assert info.kept
    with bench.engine.events() as events:
        actions = [event.action for event in _until(events, "start")]
    assert actions == ["connected", "die", "start"]
    bench.engine.keep_running(container, always=False)
    info = bench.engine.inspect(container)
    assert info is not None
    assert (info.restarts, info.kept) == (1, False)


def test_a_stopped_container_stays_down_though_kept(bench: Bench) -> None:
    container = bench.run("sleep 60")
    bench.engine.keep_running(container, always=True)
    bench.engine.stop(container, 5)
    info = bench.engine.inspect(container)
    assert info is not None
    assert (info.state, info.kept) == ("exited", True)


def test_events_tell_what_happened_and_whose_it_was(bench: Bench) -> None:
    with bench.engine.events() as events:
        container = bench.create("exit 2", labels={"who": "me"}, name="contract-" + "e" * 12)
        bench.engine.start(container)
        bench.engine.wait(container)
        bench.engine.remove(container)
        seen = list(_until(events, "destroy"))
    assert [event.action for event in seen] == ["connected", "start", "die", "destroy"]
    assert {event.container for event in seen[1:]} == {container}
    assert {event.labels["who"] for event in seen[1:]} == {"me"}
    assert {event.labels["name"] for event in seen[1:]} == {"contract-" + "e" * 12}


def test_leaving_the_events_ends_a_blocked_read(bench: Bench) -> None:
    connected = threading.Event()
    with bench.engine.events() as events:

        def listen() -> None:
            for _ in events:
                connected.set()

        thread = threading.Thread(target=listen)
        thread.start()
        assert connected.wait(10)
    thread.join(10)
    assert not thread.is_alive()


def test_execute_gives_the_exit_code_or_124(bench: Bench) -> None:
    container = bench.run("sleep 60")
    assert bench.engine.execute(container, ["/bin/sh", "-c", "exit 0"], 10) == 0
    assert bench.engine.execute(container, ["/bin/sh", "-c", "echo x; exit 3"], 10) == 3
    assert bench.engine.execute(container, ["/bin/sh", "-c", "sleep 30"], 0.5) == 124


def test_execute_of_a_command_that_is_told_to_stop_gives_the_signals_code(bench: Bench) -> None:
    container = bench.run("sleep 60")
    for name, code in (("TERM", 143), ("INT", 130), ("KILL", 137)):
        command = ["/bin/sh", "-c", f"kill -{name} $$; exit 0"]
        assert bench.engine.execute(container, command, 10) == code


def test_execute_needs_a_running_container(bench: Bench) -> None:
    with pytest.raises(PushdeployError):
        bench.engine.execute(bench.create("true"), ["/bin/sh", "-c", "true"], 5)


def test_files_go_in_and_come_out_and_stay_in_a_commit(bench: Bench) -> None:
    container = bench.create("true")
    bench.engine.put_archive(container, "/tmp", [_tar({"dir/a.txt": b"hello"})])
    tag = f"contract-{secrets.token_hex(6)}:1"
    change = ImageChange(
        labels={"commit": 'a "quoted" $value\nand a line'},
        environment={"GREETING": "good day"},
        working_dir="/tmp",
        user="1234",
    )
    digest = bench.engine.commit(container, tag, change)
    image = bench.engine.image(tag)
    assert image is not None
    assert image.id == digest
    assert image.labels["commit"] == 'a "quoted" $value\nand a line'
    assert (image.working_dir, image.user, image.tags) == ("/tmp", "1234", (tag,))
    again = bench.engine.create(ContainerSpec(tag, f"contract-{secrets.token_hex(6)}", {}))
    with bench.engine.get_archive(again, "/tmp/dir") as chunks:
        assert _untar(b"".join(chunks)) == {"dir/a.txt": b"hello"}
    bench.engine.remove(again)
    bench.engine.remove_image(tag)
    assert bench.engine.image(tag) is None


def test_taking_a_path_that_is_not_there_is_an_error_of_ours(bench: Bench) -> None:
    container = bench.create("true")
    with pytest.raises(PushdeployError), bench.engine.get_archive(container, "/no/such/path"):
        pass


def test_an_image_lives_as_long_as_one_of_its_tags(bench: Bench) -> None:
    container = bench.create("true")
    one, two = (f"contract-{secrets.token_hex(6)}:{n}" for n in (1, 2))
    digest = bench.engine.commit(container, one, ImageChange(labels={"mark": one}))
    bench.engine.tag(digest, two)
    assert [image.id for image in bench.engine.images({"mark": one})] == [digest]
    bench.engine.remove_image(one)
    assert bench.engine.image(one) is None
    assert bench.engine.image(two) is not None
    bench.engine.remove_image(two)
    bench.engine.remove_image(two)
    assert bench.engine.image(digest) is None


def test_an_import_keeps_what_it_is_told(bench: Bench) -> None:
    tag = f"contract-{secrets.token_hex(6)}:1"
    change = ImageChange(labels={"odd": 'a "b" $HOME \\n'}, environment={"PATH": "/bin"})
    digest = bench.engine.import_image(io.BytesIO(_tar({"x": b"y"})), tag, change)
    image = bench.engine.image(tag)
    assert image is not None
    assert image.id == digest
    assert image.labels["odd"] == 'a "b" $HOME \\n'


def _until(events: Iterator[EngineEvent], action: str) -> Iterator[EngineEvent]:
    for event in events:
        yield event
        if event.action == action:
            return


def _tar(files: Mapping[str, bytes]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return content.getvalue()


def _untar(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return {
            member.name: file.read()
            for member in archive
            if (file := archive.extractfile(member)) is not None
        }
