"""A code-only push until the new answer, against a script of bare Docker calls."""

import http.client
import shutil
import ssl
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.floor import Floor
from benchmarks.measure import Figure, interleaved
from benchmarks.processor import Accounts
from pushdeploy.route.routers.nginx.program import find_program
from tests.stories.harness import APPS, DOMAIN, Repository, Server

DEADLINE_SECONDS = 120


def measure(server: Server, runs: int, *, quick: bool = False) -> list[Figure]:
    """A trivial app without release command; without ``quick`` Django with ``migrate`` too."""
    return [*_hello(server, runs), *([] if quick else _notes(server, runs))]


def _hello(server: Server, runs: int) -> list[Figure]:
    root = Path(tempfile.mkdtemp(prefix="pushdeploy-bench-"))
    repository = Repository.create(server, APPS / "hello", root / "hello", "hello")
    repository.push(check=True)
    floor = Floor(
        root / "floor", copy_of(root, "hello"), nginx_program(), stack_image(), web="python web.py"
    )
    return _compare("hello", server, repository, floor, set_version, runs)


def _notes(server: Server, runs: int) -> list[Figure]:
    root = Path(tempfile.mkdtemp(prefix="pushdeploy-bench-"))
    repository = Repository.create(server, APPS / "notes", root / "notes", "notes")
    server.ssh("apps:create notes", check=True)
    server.ssh("disks:attach notes data /data", check=True)
    server.ssh("disks:set notes cutover=overlap", check=True)  # as the script does it
    repository.push(check=True)
    floor = Floor(
        root / "floor",
        copy_of(root, "notes"),
        nginx_program(),
        dependency_image(server),
        web="gunicorn notes.wsgi --bind 0.0.0.0:$PORT",
        release="python manage.py migrate --noinput",
        build="RUN python manage.py collectstatic --noinput",
    )
    return _compare("notes (Django, migrate, disk)", server, repository, floor, set_page, runs)


def _compare(
    name: str,
    server: Server,
    repository: Repository,
    floor: Floor,
    change: Callable[[Path, str], None],
    runs: int,
) -> list[Figure]:
    floor.start()
    turn = iter(range(1, 1000))
    host = f"{repository.app}.{DOMAIN}"
    accounts = Accounts(server.pid)

    def ours() -> float:
        marker = f"marker-{next(turn)}-a"
        change(repository.path, marker)
        repository.commit(marker)
        return accounts.during(
            "git push",
            lambda: until_answer(
                server.http_port, host, marker, lambda: repository.push(check=True)
            ),
        )

    def bare() -> float:
        marker = f"marker-{next(turn)}-b"
        change(floor.source, marker)
        return accounts.during(
            "floor", lambda: until_answer(floor.port, host, marker, floor.deploy)
        )

    try:
        results = interleaved({"ours": ours, "floor": bare}, runs)
    finally:
        floor.stop()
        shutil.rmtree(floor.root.parent, ignore_errors=True)
    return [
        Figure(f"{name}: bare docker", runs=results["floor"]),
        Figure(
            f"{name}: git push",
            runs=results["ours"],
            reference=f"{name}: bare docker",
            aim="<= 1.0",
        ),
        *accounts.figures(name, "git push", "floor", runs),
    ]


def until_answer(
    port: int, host: str, marker: str, action: Callable[[], object], *, tls: bool = False
) -> float:
    """Seconds from the start of ``action`` until a new connection is answered with ``marker``."""
    seen: list[float] = []
    started = time.perf_counter()

    def watch() -> None:
        while not seen and time.perf_counter() - started < DEADLINE_SECONDS:
            if marker in _ask(port, host, tls=tls):
                seen.append(time.perf_counter() - started)
            time.sleep(0.005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    action()
    watcher.join()
    return seen[0]


def _ask(port: int, host: str, *, tls: bool) -> str:
    kind = _Secured if tls else http.client.HTTPConnection
    connection = kind("127.0.0.1", port, timeout=0.5)
    try:
        if isinstance(connection, _Secured):
            connection.name = host
        connection.request("GET", "/", headers={"Host": host, "Connection": "close"})
        return connection.getresponse().read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        connection.close()


class _Secured(http.client.HTTPConnection):
    """Asks by TLS for ``name``, whoever has signed the certificate."""

    name = ""

    def connect(self) -> None:
        super().connect()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.sock = context.wrap_socket(self.sock, server_hostname=self.name)


def set_version(source: Path, marker: str) -> None:
    (source / "VERSION").write_text(marker + "\n")


def set_page(source: Path, marker: str) -> None:
    page = source / "notes/templates/notes/page.html"
    text = page.read_text().split("<!-- ")[0]
    page.write_text(f"{text.rstrip()}\n<!-- {marker} -->\n")


def copy_of(root: Path, app: str) -> Path:
    return Path(shutil.copytree(APPS / app, root / f"floor-{app}"))


def nginx_program() -> str:
    return str(find_program(None))


def stack_image() -> str:
    listed = _docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", "pushdeploy/stack")
    return next(tag for tag in listed.split() if ":bookworm-run" in tag)


def dependency_image(server: Server) -> str:
    name = f"pushdeploy-{server.instance}/dependencies"
    return _docker("image", "ls", "--format", "{{.Repository}}:{{.Tag}}", name).split()[0]


def _docker(*words: str) -> str:
    return subprocess.run(["docker", *words], check=True, capture_output=True, text=True).stdout
