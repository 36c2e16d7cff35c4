"""The machine is closed to what runs on it: before the server is ready, and again when a firewall
was reloaded."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from pushdeploy.doctor.reach_probes import RAW_SOURCE_PORT
from pushdeploy.engine import firewall
from pushdeploy.engine.firewall import remove
from pushdeploy.engine.network import bridge_name
from pushdeploy.engine.rules import HostRules
from tests.stories.conftest import MakeRepository, MakeServer
from tests.stories.harness import Server, wait_until
from tests.stories.leftovers import stack_image
from tests.stories.means import outer_environment

pytestmark = pytest.mark.docker

LOOK = """\
import socket, sys
from concurrent.futures import ThreadPoolExecutor

def look(place):
    address, port = place.split()
    try:
        socket.create_connection((address, int(port)), timeout=3).close()
        return f"reached {place}"
    except OSError:
        return f"closed {place}"

places = sys.argv[1:]
with ThreadPoolExecutor(len(places)) as pool:
    print(*pool.map(look, places), sep="\\n")
"""


@pytest.fixture(scope="module")
def walled(make_server: MakeServer) -> Server:
    """A server that looks after its rules once a second."""
    return make_server(upkeep_seconds="1", task_layer_bytes=str(20 * 1024 * 1024))


@contextmanager
def services() -> Iterator[list[str]]:
    """Something that the host serves, by every address that a container could know."""
    with socket.create_server(("0.0.0.0", 0)) as host:
        port = host.getsockname()[1]
        shown = subprocess.run(
            ["ip", "-o", "-4", "addr", "show"], check=True, capture_output=True, text=True
        ).stdout
        addresses = [line.split()[3].partition("/")[0] for line in shown.splitlines()]
        yield [f"{each} {port}" for each in addresses if not each.startswith("127.")]


def reached_by(task: str) -> list[str]:
    """What a process of the app reaches of the host."""
    with services() as places:
        shown = subprocess.run(
            ["docker", "exec", task, "python3", "-c", LOOK, *places],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        assert len(shown.splitlines()) == len(places)
        return [line for line in shown.splitlines() if line.startswith("reached")]


TALK = """\
import socket, sys, time
deadline = time.monotonic() + 60
while True:
    try:
        host = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=1)
        break
    except OSError:
        assert time.monotonic() < deadline
while True:
    host.sendall(b"still here")
    time.sleep(0.2)
"""
"""Opens a connection as soon as it can, and then never stops."""


def gateway_of(server: Server) -> str:
    """The host's address on the bridge of the server's apps."""
    asked = ["docker", "network", "inspect", "--format={{(index .IPAM.Config 0).Gateway}}"]
    return subprocess.run(
        [*asked, f"pushdeploy-{server.instance}"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


def falls_silent(held: socket.socket) -> bool:
    """Whether nothing comes for a while, once what was under way has been read."""
    try:
        return not all(held.recv(1024) for _ in range(50))
    except TimeoutError:
        return True


@contextmanager
def talker(task: str, where: list[str]) -> Iterator[None]:
    talking = subprocess.Popen(["docker", "exec", task, "python3", "-c", TALK, *where])
    try:
        yield
    finally:
        talking.kill()
        talking.wait(60)


def is_closed(server: Server) -> bool:
    return firewall.are_enforced(HostRules(server.instance, []))


def accepted_in_a_gap(server: Server, host: socket.socket) -> socket.socket:
    """The first connection that comes through while the rules are away."""
    for _ in range(30):
        remove(HostRules(server.instance, []))
        with suppress(TimeoutError):
            return host.accept()[0]
    raise AssertionError("nothing came through while nothing was closed")


def test_the_host_is_closed_at_start_and_stays_so_when_the_rules_vanish(
    walled: Server, repo: MakeRepository
) -> None:
    repository = repo("hello", on=walled)
    repository.push(check=True)
    [task] = walled.containers(f"pushdeploy.app={repository.app}", "pushdeploy.role=task")
    assert reached_by(task) == []

    walled.kill()
    remove(HostRules(walled.instance, []))
    assert reached_by(task) != [], "nothing closes the host while nobody looks after it"
    walled.start()
    assert reached_by(task) == []

    remove(HostRules(walled.instance, []))
    wait_until(lambda: reached_by(task) == [], 60, walled.log)
    told = "the rules that close this host to containers were gone; made anew"
    wait_until(lambda: told in walled.log(), 20, walled.log)


def test_what_was_opened_while_the_host_was_open_ends_with_the_gap(
    walled: Server, repo: MakeRepository
) -> None:
    repository = repo("hello", on=walled)
    repository.push(check=True)
    [task] = walled.containers(f"pushdeploy.app={repository.app}", "pushdeploy.role=task")
    with socket.create_server(("0.0.0.0", 0)) as host:
        host.settimeout(2)
        where = [gateway_of(walled), str(host.getsockname()[1])]
        with talker(task, where), accepted_in_a_gap(walled, host) as held:
            wait_until(lambda: is_closed(walled), 60, walled.log)
            held.settimeout(5)
            assert falls_silent(held)


def test_a_step_of_a_dockerfile_build_reaches_the_world_and_not_the_host(
    walled: Server, repo: MakeRepository
) -> None:
    repository = repo("dockerfile", on=walled)
    base = "pushdeploy-story/walled-base:latest"
    subprocess.run(["docker", "tag", stack_image(), base], check=True)
    walled.ssh(f"apps:create {repository.app}", check=True)
    walled.ssh(f"config:set {repository.app} BUILD_ENV=BASE BASE={base}", check=True)
    with services() as places:
        words = " ".join(f"'{place}'" for place in places)
        repository.write("look.py", LOOK)
        repository.write(
            "Dockerfile",
            f"ARG BASE\nFROM $BASE\nCOPY look.py server.py ./\nRUN python3 look.py {words}\n"
            'ENTRYPOINT []\nEXPOSE 8000\nCMD ["python3", "server.py"]\n',
        )
        repository.commit()
        pushed = repository.push(check=True)
    subprocess.run(["docker", "rmi", "--force", "--no-prune", base], check=True)
    assert pushed.stderr.count("closed ") >= len(places)
    assert not [line for line in pushed.stderr.splitlines() if "reached 1" in line]


def test_a_step_of_a_dockerfile_build_reaches_no_other_container(
    walled: Server, repo: MakeRepository
) -> None:
    repository = repo("dockerfile", on=walled)
    base = "pushdeploy-story/walled-neighbour:latest"
    subprocess.run(["docker", "tag", stack_image(), base], check=True)
    walled.ssh(f"apps:create {repository.app}", check=True)
    walled.ssh(f"config:set {repository.app} BUILD_ENV=BASE BASE={base}", check=True)
    with neighbour(base) as place:
        repository.write("look.py", LOOK)
        repository.write(
            "Dockerfile",
            f"ARG BASE\nFROM $BASE\nCOPY look.py .\nRUN python3 look.py '{place}'\n"
            'CMD ["true"]\n',
        )
        repository.commit()
        pushed = repository.push()
    subprocess.run(["docker", "rmi", "--force", "--no-prune", base], check=True)
    assert f"closed {place}" in pushed.stderr


@contextmanager
def neighbour(image: str) -> Iterator[str]:
    """A container on Docker's own bridge that answers on a port: where."""
    serve = ["--rm", "--detach", "--entrypoint", "python3", image, "-m", "http.server", "8099"]
    started = subprocess.run(["docker", "run", *serve], check=True, capture_output=True, text=True)
    container = started.stdout.strip()
    try:
        shown = ["docker", "inspect", "--format={{.NetworkSettings.IPAddress}}", container]
        asked = subprocess.run(shown, check=True, capture_output=True, text=True)
        address = asked.stdout.strip()
        wait_until(lambda: answers(address, 8099), 60, lambda: "the neighbour does not answer")
        yield f"{address} 8099"
    finally:
        subprocess.run(["docker", "rm", "--force", container], check=True, capture_output=True)


def answers(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=3).close()
    except OSError:
        return False
    return True


@pytest.mark.parametrize(
    ("program", "said"), [("iptables", "an app reaches "), ("ip6tables", "build reaches fe80::")]
)
def test_the_doctor_tries_it_from_inside(walled: Server, program: str, said: str) -> None:
    assert isolation(walled)["ok"], isolation(walled)
    # Of this server's apps, or of the doctor, alone: other stories look at the same time whether
    # they are shut in.
    through = {
        "iptables": ["-i", bridge_name(walled.instance)],
        "ip6tables": ["-i", "docker0", "-p", "tcp", "--sport", str(RAW_SOURCE_PORT)],
    }[program]
    rule = ["INPUT", *through, "-j", "ACCEPT"]
    subprocess.run([program, "-w", "-I", *rule], check=True)
    try:
        found = isolation(walled)
    finally:
        subprocess.run([program, "-w", "-D", *rule], check=True)
    assert not found["ok"]
    assert said in str(found["detail"])


def isolation(server: Server) -> dict[str, object]:
    """What the doctor finds."""
    shown = subprocess.run(
        [sys.executable, "-m", "pushdeploy", "doctor", "--format", "json"],
        env={**outer_environment(), "PUSHDEPLOY_HOME": str(server.home)},
        check=False,
        capture_output=True,
        text=True,
    ).stdout
    [found] = [row for row in json.loads(shown) if row["check"] == "isolation"]
    return dict(found)


def test_a_process_that_fills_its_container_is_started_anew_and_told_so(
    walled: Server, repo: MakeRepository
) -> None:
    repository = repo("hello", on=walled)
    repository.push(check=True)
    label = f"pushdeploy.app={repository.app}"
    [task] = walled.containers(label, "pushdeploy.role=task")
    fill = ["docker", "exec", task, "dd", "if=/dev/zero", "of=/tmp/filled", "bs=1M", "count=30"]
    subprocess.run(fill, check=True, capture_output=True)

    wait_until(lambda: task not in walled.containers(label), 60, walled.log)

    assert walled.get(repository.app).body == "hello from version 1\n"
    said = walled.ssh(f"logs {repository.app}", check=True).stdout
    assert "web.1 is started anew: it has written 30 MB beside its disks, and 20 MB are all" in said
