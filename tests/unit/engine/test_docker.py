"""What only the real engine can show: isolation, limits, builds, an engine that is gone."""

import io
import secrets
import socket
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.container import ISOLATED, BuildOptions, ContainerSpec
from pushdeploy.domain.errors import BackendDown, BuildFailed, Cancelled
from pushdeploy.engine.docker import DockerEngine
from pushdeploy.engine.network import bridge_name
from pushdeploy.engine.rules import HostRules

OPTIONS = BuildOptions(labels={"commit": "c"})


class Builder:
    """Builds of one engine with one of its two builders."""

    def __init__(self, engine: DockerEngine, image: str) -> None:
        self.engine = engine
        self.image = image
        self.said: list[str] = []
        self.tag = f"pushdeploy-test-{secrets.token_hex(4)}:1"

    def build(
        self,
        steps: str,
        *,
        files: Mapping[str, bytes] | None = None,
        options: BuildOptions = OPTIONS,
        cancellation: Cancellation | None = None,
        heard: Callable[[str], None] | None = None,
    ) -> str:
        content = {"deep/Dockerfile": f"FROM {self.image}\n{steps}".encode(), **(files or {})}
        context = io.BytesIO()
        with tarfile.open(fileobj=context, mode="w") as archive:
            for name, data in content.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
        context.seek(0)

        def line(text: str) -> None:
            self.said.append(text)
            if heard:
                heard(text)

        return self.engine.build(
            context, "deep/Dockerfile", self.tag, options, line, cancellation or Cancellation()
        )

    def label(self, name: str) -> str:
        info = self.engine.image(self.tag)
        assert info is not None
        return info.labels[name]


@pytest.fixture(params=["buildkit", "classic"])
def builder(request: pytest.FixtureRequest, engine: DockerEngine, tiny_image: str) -> Builder:
    if request.param == "classic":
        engine._client_probed = True
    elif engine._buildkit_client() is None:
        pytest.skip("no docker program here can drive BuildKit")
    return Builder(engine, tiny_image)


def _run(engine: DockerEngine, image: str, script: str, **more: object) -> tuple[str, str]:
    """The id of a container that has ended and all that it said."""
    spec = ContainerSpec(
        image,
        f"pushdeploy-test-{secrets.token_hex(6)}",
        {},
        command=["/bin/sh", "-c", script],
        **more,  # type: ignore[arg-type]
    )
    container = engine.create(spec)
    engine.start(container)
    engine.wait(container)
    with engine.logs(container) as lines:
        return container, "\n".join(line.text for line in lines)


def test_an_engine_that_does_not_answer_says_how_to_start_it(tmp_path: Path) -> None:
    engine = DockerEngine("abc", f"unix://{tmp_path}/none.sock")
    with pytest.raises(BackendDown) as caught:
        engine.containers({})
    assert "systemctl start docker" in caught.value.hint
    with pytest.raises(BackendDown):
        engine.build(io.BytesIO(), "Dockerfile", "x:1", OPTIONS, print, Cancellation())
    with engine.events() as events:
        assert events is not None


@pytest.mark.docker
def test_instances_do_not_see_each_others_containers(engine: DockerEngine, tiny_image: str) -> None:
    container, _ = _run(engine, tiny_image, "true")
    with DockerEngine("0" * 8) as other:
        assert container not in [info.id for info in other.containers({})]
        assert container in [info.id for info in engine.containers({})]


@pytest.mark.docker
def test_limits_hold(engine: DockerEngine, tiny_image: str) -> None:
    container, _ = _run(engine, tiny_image, "tail /dev/zero", memory_bytes=16 * 1024 * 1024)
    info = engine.inspect(container)
    assert info is not None
    assert (info.exit_code, info.out_of_memory) == (137, True)
    spawn = "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 5 & done; echo all"
    _, said = _run(engine, tiny_image, spawn, pids=8)
    assert "all" not in said


@pytest.mark.docker
def test_a_user_of_its_own_has_no_powers_left(engine: DockerEngine, tiny_image: str) -> None:
    _, said = _run(
        engine,
        tiny_image,
        "id -u; id -G; grep -E '^(CapEff|NoNewPrivs)' /proc/self/status",
        user="20001:1000",
        groups=[20001],
    )
    assert said.split() == [
        *["20001", "1000", "20001"],
        *["CapEff:", "0000000000000000", "NoNewPrivs:", "1"],
    ]


@pytest.mark.docker
def test_containers_reach_neither_each_other_nor_this_host(
    engine: DockerEngine, tiny_image: str
) -> None:
    server = engine.create(
        ContainerSpec(tiny_image, "pushdeploy-test-" + secrets.token_hex(6), {}, command=_HTTPD)
    )
    engine.start(server)
    info = engine.inspect(server)
    assert info is not None
    _wait_until(lambda: _connects(info.address))
    script = f"nc -w 2 {info.address} 5000 </dev/null 2>/dev/null && echo reached || echo closed"
    assert _run(engine, tiny_image, script)[1].endswith("closed")
    if not _rules(engine):
        pytest.skip("iptables cannot be changed here")
    gateway = engine.api.inspect_network(engine.ensure_network())["IPAM"]["Config"][0]["Gateway"]
    with socket.create_server(("0.0.0.0", 0)) as host:
        port = host.getsockname()[1]
        script = f"nc -w 2 {gateway} {port} </dev/null 2>/dev/null && echo reached || echo closed"
        assert _run(engine, tiny_image, script)[1].endswith("closed")


@pytest.mark.docker
def test_the_network_comes_and_goes_with_its_rule(engine: DockerEngine) -> None:
    name = engine.ensure_network()
    assert engine.ensure_network() == name
    network = engine.api.inspect_network(name)
    assert network["Labels"] == {"pushdeploy.instance": engine.instance}
    assert network["Options"]["com.docker.network.bridge.enable_icc"] == "false"
    assert len(_rules(engine)) in {0, 2}
    alone = engine.ensure_network(alone="20001")
    assert alone != name
    engine.remove_network("20001")
    assert engine.api.networks(names=[f"^{alone}$"]) == []
    assert engine.ensure_network() == name
    engine.remove_network()
    engine.remove_network()
    assert _rules(engine) == []
    assert engine.ensure_network() == name


@pytest.mark.docker
def test_the_host_reaches_into_the_isolated_network_and_nothing_gets_out(
    engine: DockerEngine, tiny_image: str
) -> None:
    inside, outside = (_httpd(engine, tiny_image, network) for network in (ISOLATED, None))
    if not _rules(engine):
        pytest.skip("iptables cannot be changed here")
    gateways = [
        engine.api.inspect_network(engine.ensure_network(isolated=isolated))["IPAM"]["Config"][0][
            "Gateway"
        ]
        for isolated in (False, True)
    ]
    with socket.create_server(("0.0.0.0", 0)) as host:
        port = host.getsockname()[1]
        places = [f"{inside} 5000", f"{outside} 5000", *(f"{each} {port}" for each in gateways)]
        tries = [f"nc -w 2 {each} </dev/null 2>/dev/null && echo reached" for each in places]
        said = _run(engine, tiny_image, "; ".join([*tries, "echo tried"]), network=ISOLATED)[1]
    assert said == "tried"


def _httpd(engine: DockerEngine, image: str, network: str | None) -> str:
    """Its address, when it answers this host."""
    name = f"pushdeploy-test-{secrets.token_hex(6)}"
    server = engine.create(ContainerSpec(image, name, {}, command=_HTTPD, network=network))
    engine.start(server)
    info = engine.inspect(server)
    assert info is not None
    _wait_until(lambda: _connects(info.address))
    return info.address


@pytest.mark.docker
def test_a_missing_mount_is_refused_and_never_made_up(
    engine: DockerEngine, tiny_image: str, tmp_path: Path
) -> None:
    with pytest.raises(Exception, match="does not exist"):
        _run(engine, tiny_image, "true", mounts=[(str(tmp_path / "none"), "/data")])
    assert not (tmp_path / "none").exists()


@pytest.mark.docker
def test_a_dockerfile_becomes_an_image_of_this_instance(builder: Builder) -> None:
    colour = secrets.token_hex(4)  # a new one, for BuildKit remembers steps
    digest = builder.build(
        "ARG COLOUR\nCOPY deep/note /note\nRUN echo the colour is $COLOUR; cat /note\n",
        files={"deep/note": b"a note\n"},
        options=BuildOptions({"commit": "c"}, {"COLOUR": colour}),
    )
    said = "\n".join(builder.said)
    assert f"the colour is {colour}" in said
    assert "a note" in said
    assert [image.id for image in builder.engine.images({"commit": "c"})] == [digest]
    assert builder.label("pushdeploy.made-by") == builder.engine.instance


@pytest.mark.docker
def test_a_failing_step_fails_the_build_with_its_last_lines(builder: Builder) -> None:
    with pytest.raises(BuildFailed, match="the build of deep/Dockerfile failed") as caught:
        builder.build("RUN echo this is why; exit 3\n")
    assert any("this is why" in line for line in caught.value.log_tail)
    assert len(caught.value.log_tail) <= 20
    assert builder.engine.image(builder.tag) is None


@pytest.mark.docker
def test_a_cancelled_build_is_not_waited_for(builder: Builder) -> None:
    """Its hour is longer than any test may take."""
    cancellation = Cancellation()
    stopped = threading.Event()

    def heard(text: str) -> None:
        if "RUN echo begun" in text and not stopped.is_set():
            stopped.set()
            threading.Thread(target=cancellation.cancel, args=["the client has gone"]).start()

    with pytest.raises(Cancelled):
        builder.build("RUN echo begun; sleep 3600\n", cancellation=cancellation, heard=heard)
    assert stopped.is_set()


@pytest.mark.docker
def test_a_build_that_takes_too_long_fails_and_says_so(builder: Builder) -> None:
    with pytest.raises(BuildFailed, match="took over 2 s"):
        builder.build("RUN sleep 3600\n", options=BuildOptions({}, timeout_seconds=2))


@pytest.mark.docker
def test_attaching_to_a_terminal_gives_raw_bytes_and_its_size(
    engine: DockerEngine, tiny_image: str
) -> None:
    script = "stty size; read x; stty size; tty; cat; echo end"
    container = engine.create(
        ContainerSpec(
            tiny_image,
            "pushdeploy-test-" + secrets.token_hex(6),
            {},
            command=["/bin/sh", "-c", "sleep 0.3;" + script],
            tty=True,
            open_stdin=True,
        )
    )
    attached = engine.attach(container, tty=True)
    engine.start(container)
    engine.resize(container, columns=100, rows=40)
    said = b""
    while b"40 100" not in said and (part := attached.read()):
        said += part[1]
    engine.resize(container, columns=132, rows=50)
    attached.write(b"\n")
    while b"/dev/" not in said and (part := attached.read()):
        said += part[1]
    attached.end_input()
    while part := attached.read():
        said += part[1]
    attached.close()
    assert engine.wait(container) == 0
    assert b"40 100" in said
    assert b"50 132" in said
    assert said.endswith(b"end\r\n")
    with engine.logs(container) as lines:
        assert [line.text for line in lines][-1] == "end"


_HTTPD = ["httpd", "-f", "-p", "5000", "-h", "/tmp"]


def _connects(address: str) -> bool:
    try:
        socket.create_connection((address, 5000), timeout=1).close()
    except OSError:
        return False
    return True


def _wait_until(true: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)


def _rules(engine: DockerEngine) -> list[str]:
    listed = subprocess.run(["iptables", "-w", "-S"], check=False, capture_output=True, text=True)
    interface, chain = bridge_name(engine.instance), HostRules(engine.instance, []).chain("host")
    ours = [line for line in listed.stdout.splitlines() if line.startswith(f"-A {chain} ")]
    return [line for line in ours if line.endswith(f" -i {interface} -j DROP")]


class Proxy:
    """A way to the engine that can be cut, as when Docker is restarted."""

    def __init__(self, path: Path, target: str) -> None:
        self._path = path
        self._target = target
        self._open: list[socket.socket] = []
        self._listener: socket.socket | None = None

    def listen(self) -> None:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._path))
        self._listener.listen()
        threading.Thread(target=self._serve, args=[self._listener], daemon=True).start()

    def cut(self) -> None:
        assert self._listener is not None
        for connection in [self._listener, *self._open]:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()
        self._open.clear()
        self._path.unlink()

    def _serve(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                here, _ = listener.accept()
                there = socket.socket(socket.AF_UNIX)
                there.connect(self._target)
                self._open += [here, there]
                for pair in ((here, there), (there, here)):
                    threading.Thread(target=_copy, args=pair, daemon=True).start()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@pytest.mark.docker
def test_events_go_on_when_docker_comes_back(
    engine: DockerEngine, tiny_image: str, tmp_path: Path
) -> None:
    target = str(engine.address().get("base_url") or "unix:///var/run/docker.sock")
    proxy = Proxy(tmp_path / "docker.sock", target.partition("://")[2])
    proxy.listen()
    host = f"unix://{tmp_path}/docker.sock"
    with DockerEngine(engine.instance, host) as cut_off, cut_off.events() as events:
        assert next(events).action == "connected"
        proxy.cut()
        proxy.listen()
        assert next(events).action == "connected"
        container, _ = _run(engine, tiny_image, "true")
        event = next(events)
        assert (event.action, event.container) == ("start", container)
    proxy.cut()


def test_what_builds_have_left_is_told_to_all_who_ask_at_once(engine: DockerEngine) -> None:
    """Docker counts for one asker at a time and refuses the others."""
    with ThreadPoolExecutor(3) as askers:
        told = [askers.submit(engine.build_records) for _ in range(3)]
        assert all(asked.result() is not None for asked in told)
