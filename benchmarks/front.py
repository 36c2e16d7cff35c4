"""Requests by TLS, HTTP/2 and files through our front against a bare nginx; a thousand hosts."""

import random
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.deploys import nginx_program, until_answer
from benchmarks.fronts import BareFront
from benchmarks.h2load import load
from benchmarks.ledger import add_apps, two_stages, wait_until_idle, write
from benchmarks.measure import Figure, interleaved, progress, timed
from benchmarks.processes import proportional_mb
from tests.authority import Authority, pem_of
from tests.stories.harness import APPS, DOMAIN, Repository, Server, free_ports

SOURCE = Path(__file__).parent / "apps" / "fast"
REQUESTS, QUICK_REQUESTS = 20_000, 2_000
HOSTS, QUICK_HOSTS = 1_000, 50
HANDSHAKES = 300
SWITCHES, QUICK_SWITCHES = 10, 3
_APP, _SITE = "fast", "site"


def measure(server: Server, runs: int, *, quick: bool = False) -> list[Figure]:
    """A tenth of the requests, and fifty hosts, when ``quick``."""
    del server  # it serves no TLS
    with _tls_server() as few, _tls_server() as many:
        figures = _requests(few, runs, QUICK_REQUESTS if quick else REQUESTS)
        figures += _lost(few, QUICK_SWITCHES if quick else SWITCHES)
        figures += _static(few, runs)
        figures += _many_hosts(few, many, runs, QUICK_HOSTS if quick else HOSTS)
    return figures


# ------------------------------------------------------------- requests


def _requests(server: Server, runs: int, count: int) -> list[Figure]:
    """The same task behind both, by HTTP/1.1 and by HTTP/2, and the same two files."""
    root = Path(tempfile.mkdtemp(prefix="pushdeploy-bench-"))
    _push(server, _APP, SOURCE, root)
    _push(server, _SITE, _site(root), root)
    bare = _bare(server, root)
    bare.start()
    try:
        figures = []
        for name, path, h2 in (
            ("HTTP/1.1", f"{_APP}:/", False),
            ("HTTP/2", f"{_APP}:/", True),
            ("a page by HTTP/1.1", f"{_SITE}:/", False),
            ("a page by HTTP/2", f"{_SITE}:/", True),
            ("a file of 100 KB", f"{_SITE}:/large.12345678.js", True),
        ):
            figures += _beside(name, path, server, bare, runs, count, h2=h2)
        return figures
    finally:
        bare.stop()
        shutil.rmtree(root, ignore_errors=True)


def _beside(
    name: str, path: str, server: Server, bare: BareFront, runs: int, count: int, *, h2: bool
) -> list[Figure]:
    app, _, path = path.partition(":")
    slowest: Mapping[str, list[float]] = {"ours": [], "bare": []}

    def asked(which: str, host: str, port: int, path: str) -> Callable[[], float]:
        def ask() -> float:
            found = load(f"https://{host}{path}", port, count, h2=h2, streams=10 if h2 else 1)
            assert not found.failed, f"{found.failed} requests of {host}{path} failed"
            slowest[which].append(found.slowest_percent)
            return found.rate

        return ask

    theirs = path if app == _APP else f"/files{path}"
    theirs = f"{theirs}index.html" if theirs == "/files/" else theirs
    rates = interleaved(
        {
            "ours": asked("ours", f"{app}.{DOMAIN}", https_port(server), path),
            "bare": asked("bare", bare.host, bare.port, theirs),
        },
        runs,
    )
    floor, late = f"{name}: bare nginx", f"{name}, 99 of 100 within: bare nginx"
    return [
        Figure(floor, "/s", rates["bare"]),
        Figure(f"{name}: ours", "/s", rates["ours"], reference=floor, aim=">= 0.97"),
        Figure(late, "ms", slowest["bare"][-runs:]),
        Figure(f"{name}, 99 of 100 within: ours", "ms", slowest["ours"][-runs:], reference=late),
    ]


def _bare(server: Server, root: Path) -> BareFront:
    host = f"{_APP}.{DOMAIN}"
    pem = root / "bare.pem"
    pem.write_text(Authority().sign(f"*.{DOMAIN}").pem.text)
    files = root / _SITE
    for directory in (root, files):
        directory.chmod(0o755)
    return BareFront(root / "bare", nginx_program(), "www-data", host, _target(server), pem, files)


def _target(server: Server) -> str:
    """Where the one web task of the app listens."""
    (container,) = server.containers(f"pushdeploy.app={_APP}")
    form = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
    asked = ["docker", "inspect", "-f", form, container]
    address = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    return f"{address}:5000"


def _site(root: Path) -> Path:
    """A page of 10 KB and a script of 100 KB that nobody can compress."""
    made = root / "source"
    made.mkdir()
    chance = random.Random(1)
    (made / "index.html").write_text("<!doctype html>" + chance.randbytes(5_000).hex())
    (made / "large.12345678.js").write_bytes(chance.randbytes(100_000))
    return made


# ------------------------------------------------------------- switches


def _lost(server: Server, switches: int) -> list[Figure]:
    """curl keeps eight streams in flight on HTTP/2 connections while the app is pushed."""
    root = Path(tempfile.mkdtemp(prefix="pushdeploy-bench-"))
    repository = Repository.create(server, APPS / "hello", root / "streams", "streams")
    repository.push(check=True)
    host, port = f"streams.{DOMAIN}", https_port(server)
    with _streams(f"https://{host}:{port}/slow?0.3", host, port) as answers:
        for turn in range(switches):
            repository.write("VERSION", f"switch {turn}\n")
            repository.commit()
            repository.push(check=True)
            progress(f"switch {turn + 1}")
    shutil.rmtree(root, ignore_errors=True)
    lost = [each for each in answers if each != "200 2"]
    for said in sorted(set(lost)):
        progress(f"lost: {said}")
    return [
        Figure("streams by HTTP/2 during switches", "", [float(len(answers))]),
        Figure("streams lost", "", [float(len(lost))], aim="0"),
    ]


@contextmanager
def _streams(url: str, host: str, port: int) -> Iterator[list[str]]:
    """Each answer's status and version of HTTP; curl's words where there was none."""
    answers: list[str] = []
    stop = threading.Event()
    form = "%{http_code} %{http_version} %{errormsg}\\n"
    words = ["curl", "-sk", "--http2", "-Z", "--parallel-max", "8", "-o", "/dev/null"]
    words += ["--resolve", f"{host}:{port}:127.0.0.1", "-w", form, f"{url}#[1-200]"]

    def ask() -> None:
        while not stop.is_set():
            said = subprocess.run(words, capture_output=True, text=True, check=False).stdout
            answers.extend(line.strip() for line in said.splitlines())

    client = threading.Thread(target=ask)
    client.start()
    try:
        yield answers
    finally:
        stop.set()
        client.join()


def _static(server: Server, runs: int) -> list[Figure]:
    """A static site goes live: its promotion, from the command until the new page is there."""
    root = Path(tempfile.mkdtemp(prefix="pushdeploy-bench-"))
    staging, production = "pages-staging", "pages"
    repository = _push(server, staging, _site(root), root)
    server.ssh(f"apps:create {production}", check=True)
    server.ssh("pipelines:create pages", check=True)
    for app, stage in ((staging, "staging"), (production, "production")):
        server.ssh(f"pipelines:add pages {app} --stage {stage}", check=True)
    turn = iter(range(1, 1000))

    def promote() -> float:
        marker = f"marker-{next(turn)}"
        (repository.path / "index.html").write_text(f"<!doctype html>{marker}\n")
        repository.commit(marker)
        repository.push(check=True)
        host = f"{production}.{DOMAIN}"
        action = lambda: server.ssh(f"pipelines:promote {staging}", check=True)  # noqa: E731
        return until_answer(https_port(server), host, marker, action, tls=True)

    seconds = interleaved({"promote": promote}, runs)["promote"]
    shutil.rmtree(root, ignore_errors=True)
    return [Figure("promotion of a static site", runs=seconds, aim="<= 0.3")]


# ------------------------------------------------------------- a thousand hosts


def _many_hosts(few: Server, many: Server, runs: int, count: int) -> list[Figure]:
    root = Path(tempfile.mkdtemp(prefix="pushdeploy-bench-"))
    for server, name in ((few, "few"), (many, "many")):
        two_stages(server, root / name)
    write(many, lambda connection: add_apps(connection, count=count, past=1))
    many.stop()
    many.start()
    wait_until_idle(many)
    hosts = [f"app-{number}.{DOMAIN}" for number in range(count)]
    shake = {
        "few": lambda: _handshakes(https_port(few), [f"hello.{DOMAIN}"]),
        "many": lambda: _handshakes(https_port(many), hosts),
    }
    shaken = interleaved(shake, runs)
    switch = {
        name: lambda server=server: timed(
            lambda: server.ssh("pipelines:promote hello-staging", check=True)
        )
        for name, server in (("few", few), ("many", many))
    }
    switched = interleaved(switch, runs)
    sizes = {name: [nginx_mb(server)] for name, server in (("few", few), ("many", many))}
    shutil.rmtree(root, ignore_errors=True)
    return [
        *_pair("a TLS handshake", "ms", shaken, count, "<= 1.1"),
        *_pair("promote", "s", switched, count, "<= 1.2"),
        *_pair("memory of nginx", "MB", sizes, count, ""),
    ]


def _pair(
    name: str, unit: str, found: Mapping[str, list[float]], count: int, aim: str
) -> list[Figure]:
    first = f"{name}: few hosts"
    return [
        Figure(first, unit, found["few"]),
        Figure(f"{name}: {count:,} hosts", unit, found["many"], reference=first, aim=aim),
    ]


def _handshakes(port: int, hosts: Sequence[str]) -> float:
    """Milliseconds of one, the mean of three hundred, each with a host by chance."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    chance = random.Random(1)
    chosen = [chance.choice(hosts) for _ in range(HANDSHAKES)]
    started = time.perf_counter()
    for host in chosen:
        with (
            socket.create_connection(("127.0.0.1", port)) as connection,
            context.wrap_socket(connection, server_hostname=host),
        ):
            pass
    return (time.perf_counter() - started) * 1000 / HANDSHAKES


# ------------------------------------------------------------- what they work on


@contextmanager
def _tls_server() -> Iterator[Server]:
    """One with a certificate for all its apps."""
    (port,) = free_ports(1)
    root = Path(tempfile.mkdtemp(prefix="pushdeploy-"))
    server = Server(root, tls="own", https=f"127.0.0.1:{port}")
    try:
        server.create()
        server.start()
        signed = Authority().sign(f"*.{DOMAIN}")
        pem = "".join([signed.text, *map(pem_of, signed.above), signed.key_text])
        server.ssh("certs:add --global", input=pem, check=True)
        yield server
    finally:
        server.close()


def https_port(server: Server) -> int:
    """Where the server takes requests by TLS."""
    settings = tomllib.loads((server.home / "pushdeploy.toml").read_text())
    return int(settings["https"].rpartition(":")[2])


def nginx_mb(server: Server) -> float:
    """Of the master and all workers, shared pages counted once."""
    return proportional_mb(int((server.home / "nginx" / "nginx.pid").read_text()))


def _push(server: Server, app: str, source: Path, root: Path) -> Repository:
    repository = Repository.create(server, source, root / app, app)
    repository.push(check=True)
    return repository
