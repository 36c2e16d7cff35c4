"""A real pushdeploy for stories: its own process, home and ports; real ssh, git, HTTP clients."""

import http.client
import json
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.stories.leftovers import (
    containers_of,
    forget_home,
    note_home,
    remove_labelled,
    stop_nginx,
    unmount_below,
    unseal_below,
)
from tests.stories.means import (
    CALL_SECONDS,
    Answer,
    Result,
    free_ports,
    outer_environment,
    run,
    run_checked,
    trusted_certificates,
    wait_until,
)
from tests.stories.running import Running, Terminal
from tests.stories.ssh_client import client_config, known_host

__all__ = [
    "APPS",
    "DOMAIN",
    "Answer",
    "Repository",
    "Result",
    "Running",
    "Server",
    "free_ports",
    "outer_environment",
    "wait_until",
]

APPS = Path(__file__).resolve().parent.parent / "apps"
DOMAIN = "apps.test"
START_SECONDS = 60
STOP_SECONDS = 90
GIT_CONFIG = {"user.name": "Ada", "user.email": "ada@example.com", "commit.gpgsign": "false"}


class Server:
    """One home and the ``pushdeploy serve`` over it: start, stop, kill, start again."""

    def __init__(self, root: Path, **settings: str) -> None:
        """``root`` is a directory of its own; ``settings`` go into pushdeploy.toml."""
        self.root = root
        self.home = root / "home"
        self.ssh_port, self.http_port = free_ports(2)
        self._log = root / "serve.log"
        self._key = root / "key"
        self._config = root / "ssh_config"
        self._process: subprocess.Popen[bytes] | None = None
        self._master: subprocess.Popen[bytes] | None = None
        self._clients: list[Running] = []
        self._settings = {
            "ssh": f"127.0.0.1:{self.ssh_port}",
            "http": f"127.0.0.1:{self.http_port}",
            "domain": DOMAIN,
            "stack": "bookworm",
            **trusted_certificates(),
            **settings,
        }

    # ------------------------------------------------------------- life

    def create(self) -> "Server":
        """Make the home, let one key in and write the client's ssh configuration."""
        self.home.mkdir(mode=0o700, parents=True)
        lines = [f"{name} = {json.dumps(value)}\n" for name, value in self._settings.items()]
        (self.home / "pushdeploy.toml").write_text("".join(lines))
        self.program("init")
        note_home(self.instance, self.home)
        keygen = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self._key)]
        run_checked(keygen, cwd=self.root)
        self.program("keys:add", "ada", input=self._key.with_suffix(".pub").read_text())
        self._config.write_text(client_config(self.root, self.ssh_port, self._key))
        (self.root / "known_hosts").write_text(known_host(self.home, self.ssh_port))
        return self

    def start(self) -> None:
        """Return when it says that it is ready."""
        offset = len(self.log())
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "pushdeploy", "serve"],
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        process = self._process
        wait_until(
            lambda: process.poll() is not None or "ready ssh=" in self.log()[offset:],
            START_SECONDS,
            lambda: f"the server is not ready:\n{self.log()[-4000:]}",
        )
        assert process.poll() is None, f"the server ended:\n{self.log()[-4000:]}"
        self._open_master()

    def stop(self) -> int:
        """SIGTERM and wait: the exit status."""
        return self._end(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL: nothing in it gets a chance to clean up."""
        self._end(signal.SIGKILL)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def close(self) -> None:
        """Stop it, its nginx, and remove all that carries this instance's label.

        A server that does not stop fails the test, and leaves nothing behind all the same.
        """
        for client in self._clients:
            client.close()
        try:
            if self._process is not None:
                self._end(signal.SIGTERM)
        finally:
            if (self.home / "instance").exists():
                stop_nginx(self.home)
                remove_labelled(self.instance)
                forget_home(self.instance)
            unmount_below(self.root)
            unseal_below(self.root)
            shutil.rmtree(self.root, ignore_errors=True)

    # ------------------------------------------------------------- clients

    def ssh(
        self,
        command: str,
        *,
        input: str = "",
        tty: bool = False,
        check: bool = False,
        fresh: bool = False,
        timeout: float = CALL_SECONDS,
    ) -> Result:
        """Type ``command`` with the OpenSSH client; ``fresh`` opens a connection of its own."""
        words = self._ssh_words(command, tty=tty, fresh=fresh)
        return run(words, cwd=self.root, input=input, check=check, timeout=timeout)

    def stream(
        self, command: str, *, stdin: int | IO[bytes] = subprocess.DEVNULL, stdout: int | IO[bytes]
    ) -> subprocess.Popen[bytes]:
        """The same for bytes that no test holds, still running; what it complains of is kept."""
        return subprocess.Popen(
            self._ssh_words(command, tty=False, fresh=True),
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def json(self, command: str) -> list[dict[str, object]]:
        """The rows of a reading command."""
        rows: list[dict[str, object]] = json.loads(
            self.ssh(f"{command} --format json", check=True).stdout
        )
        return rows

    def record(self, command: str) -> dict[str, object]:
        """What a command shows of one thing."""
        shown: dict[str, object] = json.loads(
            self.ssh(f"{command} --format json", check=True).stdout
        )
        return shown

    def popen_ssh(self, command: str, *, tty: bool = False) -> subprocess.Popen[bytes]:
        """The same on a connection of its own, still running: to interrupt or to feed it."""
        return subprocess.Popen(
            self._ssh_words(command, tty=tty, fresh=True),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def git(self, cwd: Path, *arguments: str, check: bool = False) -> Result:
        """Real git over a connection of its own."""
        return run(["git", *arguments], cwd=cwd, check=check, environment=self.git_environment())

    def watch_git(self, cwd: Path, *arguments: str) -> Running:
        """The same, still going on."""
        return self._watched(self.popen_git(cwd, *arguments))

    def watch_ssh(self, command: str, *, tty: bool = False) -> Running:
        """A command on a connection of its own, still going on."""
        return self._watched(self.popen_ssh(command, tty=tty))

    def watch_terminal(self, command: str, *, rows: int, columns: int) -> Terminal:
        """A command on a terminal of this size, as a person types it."""
        words = self._ssh_words(command, tty=True, fresh=True)
        terminal = Terminal(words, rows, columns)
        self._clients.append(terminal)
        return terminal

    def popen_git(self, cwd: Path, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            ["git", *arguments],
            cwd=cwd,
            env=self.git_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def get(self, app: str, path: str = "/", *, method: str = "GET", body: str = "") -> Answer:
        """Ask nginx for the app by its host name."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=60)
        try:
            connection.request(method, path, body or None, {"Host": f"{app}.{DOMAIN}"})
            response = connection.getresponse()
            text = response.read().decode(errors="replace")
        finally:
            connection.close()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, headers, text)

    def program(self, *words: str, input: str = "") -> Result:
        """The program on the server itself."""
        return run(
            [sys.executable, "-m", "pushdeploy", *words],
            cwd=self.root,
            input=input,
            check=True,
            environment=self._environment(),
        )

    def ledger(self, app: str) -> list[tuple[object, object, object]]:
        """Version, status and reason of all releases, the oldest first."""
        rows = reversed(self.json(f"releases {app} -n 1000"))
        return [(row["version"], row["status"], row["reason"]) for row in rows]

    def disk(self, app: str, name: str = "data") -> Path:
        """Where the data of a disk lies on the server."""
        return self.home / "disks" / app / name

    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    @property
    def instance(self) -> str:
        return (self.home / "instance").read_text().strip()

    @property
    def threads(self) -> int:
        """How many the server has: one that is never ended is a leak."""
        return len(list(Path(f"/proc/{self.pid}/task").iterdir()))

    def containers(self, *labels: str) -> list[str]:
        """Ids of this instance's containers, running or not, that also carry ``labels``."""
        return containers_of(self.instance, *labels)

    def git_environment(self) -> dict[str, str]:
        ssh = f"ssh -F {self._config} -o ControlPath=none"
        return {**outer_environment(), "GIT_SSH_COMMAND": ssh, "GIT_TERMINAL_PROMPT": "0"}

    # ------------------------------------------------------------- private

    def _watched(self, process: subprocess.Popen[bytes]) -> Running:
        running = Running(process)
        self._clients.append(running)
        return running

    def _end(self, number: signal.Signals) -> int:
        self._close_master()
        process = self._process
        assert process is not None
        if process.poll() is None:
            process.send_signal(number)
        try:
            return process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(STOP_SECONDS)
            raise AssertionError(f"the server did not stop:\n{self.log()[-4000:]}") from None

    def _ssh_words(self, command: str, *, tty: bool, fresh: bool) -> list[str]:
        own = ["-o", "ControlPath=none"] if fresh else []
        words = ["ssh", "-F", str(self._config), "-tt" if tty else "-T", *own]
        return [*words, "deploy", command]

    def _environment(self) -> dict[str, str]:
        return {**outer_environment(), "PUSHDEPLOY_HOME": str(self.home)}

    def _open_master(self) -> None:
        """One connection for all calls of ``ssh``: a handshake less each. Optional."""
        self._close_master()
        self._master = subprocess.Popen(
            ["ssh", "-F", str(self._config), "-M", "-N", "deploy"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        master, path = self._master, self.root / "control"
        wait_until(
            lambda: path.exists() or master.poll() is not None,
            30,
            lambda: f"ssh does not get in:\n{self.log()[-4000:]}",
        )

    def _close_master(self) -> None:
        if self._master is not None:
            # ssh may wait for its next event between a signal and its answer to it.
            self._master.kill()
            self._master.wait(10)
            (self.root / "control").unlink(missing_ok=True)
            self._master = None


@dataclass(frozen=True, slots=True)
class Repository:
    """A person's clone: a copy of a small app with the server as its remote ``deploy``."""

    server: Server
    path: Path
    app: str

    @classmethod
    def create(cls, server: Server, source: Path, path: Path, app: str) -> "Repository":
        """One commit of ``source`` on main."""
        shutil.copytree(source, path)
        repository = cls(server, path, app)
        repository.git("init", "-q", "-b", "main")
        for name, value in GIT_CONFIG.items():
            repository.git("config", name, value)
        repository.git("remote", "add", "deploy", f"deploy@deploy:{app}")
        repository.commit("The first version")
        return repository

    def git(self, *arguments: str, check: bool = True) -> Result:
        return self.server.git(self.path, *arguments, check=check)

    def write(self, name: str, text: str) -> None:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def commit(self, message: str = "Change something") -> str:
        """Everything as it is now: the id of the commit."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.head

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD").stdout.strip()

    @property
    def first(self) -> str:
        """The commit with which it began."""
        return self.git("rev-list", "--max-parents=0", "HEAD").stdout.strip()

    def push(self, *arguments: str, check: bool = False) -> Result:
        """``git push deploy main``, or with the arguments given; what it says is in ``stderr``."""
        return self.git("push", "deploy", *(arguments or ["main"]), check=check)

    def start_push(self, *arguments: str) -> Running:
        """The same, still going on."""
        return self.server.watch_git(self.path, "push", "deploy", *(arguments or ["main"]))

    @property
    def remote_main(self) -> str:
        """Where the server's main is; empty when there is none."""
        listed = self.git("ls-remote", "deploy", "refs/heads/main", check=False).stdout
        return listed.partition("\t")[0]
