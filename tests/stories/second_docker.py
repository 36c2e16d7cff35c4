"""A Docker engine of a story's own, to kill: in a network of its own, for two in one network remove
each other's bridges."""

import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import pytest

from tests.stories.leftovers import stack_image
from tests.stories.means import run, run_checked, wait_until

_DOCKERFILE = """\
FROM {stack}
WORKDIR /app
COPY . .
CMD ["python", "web.py"]
"""
"""Builds on what is there: the stack's tools for building are half a gigabyte to bring along."""

CLONE_NEWNET = 0x40000000
START_SECONDS = 60


@contextmanager
def network_of_its_own() -> Iterator[None]:
    """This thread, and all that it starts while inside: with nothing but a loopback."""
    libc = ctypes.CDLL(None, use_errno=True)
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.unshare(CLONE_NEWNET):
            pytest.skip(f"no network can be made here: {os.strerror(ctypes.get_errno())}")
        try:
            run_checked(["ip", "link", "set", "lo", "up"], cwd=Path("/"))
            yield
        finally:
            assert libc.setns(before, CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
    finally:
        os.close(before)


class Dockerd:
    """Everything that it has is below ``root``; nothing of the machine's own engine is touched."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.host = f"unix://{root}/docker.sock"
        self._log = root / "dockerd.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    "dockerd",
                    f"--data-root={self.root}/data",
                    f"--exec-root={self.root}/exec",
                    f"--pidfile={self.root}/docker.pid",
                    f"--host={self.host}",
                    "--bip=10.99.0.1/24",
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(self._answers, START_SECONDS, self._last_words)

    def kill(self) -> None:
        """SIGKILL: its containers go on without it.

        Returns when its containerd has followed it: the next one would take that for a live one.
        """
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        record = self.root / "exec/containerd/containerd.pid"
        line = Path("/proc", record.read_text().strip(), "cmdline")
        wait_until(lambda: not _read(line), 30, lambda: "its containerd lives on")
        record.unlink(missing_ok=True)

    def cut_power(self) -> None:
        """SIGKILL to it and to all that it runs; what a boot begins without is gone as well:
        mounts, bridges, rules, and what lay in memory."""
        listed = run(["docker", "-H", self.host, "ps", "--quiet"], cwd=self.root).stdout.split()
        form = "--format={{.State.Pid}}"
        inspected = ["docker", "-H", self.host, "inspect", form, *listed]
        running = run_checked(inspected, cwd=self.root).stdout.split() if listed else []
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        _kill([*self._left(), *map(int, running)])
        self._unmount()
        shutil.rmtree(self.root / "exec")
        bridges = run_checked(["ip", "-brief", "link", "show", "type", "bridge"], cwd=self.root)
        for line in bridges.stdout.splitlines():
            run_checked(["ip", "link", "delete", line.split()[0]], cwd=self.root)
        for table in ("filter", "nat"):
            run_checked(["iptables", "-t", table, "-F"], cwd=self.root)

    def close(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(60)
        _kill(self._left())
        self._unmount()
        shutil.rmtree(self.root, ignore_errors=True)

    def _unmount(self) -> None:
        mounts = (line.split()[1] for line in Path("/proc/mounts").read_text().splitlines())
        for place in [place for place in mounts if place.startswith(str(self.root))]:
            run(["umount", "--lazy", place], cwd=Path("/"))

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self._last_words()
        return run(["docker", "-H", self.host, "version"], cwd=self.root).returncode == 0

    def _last_words(self) -> str:
        return f"dockerd does not start:\n{self._log.read_text(errors='replace')[-2000:]}"

    def _left(self) -> list[int]:
        """Whatever was started with its directory on the command line."""
        ours = str(self.root).encode()
        pids = (entry for entry in Path("/proc").iterdir() if entry.name.isdigit())
        return [int(entry.name) for entry in pids if ours in _read(entry / "cmdline")]


def _kill(pids: Iterable[int]) -> None:
    """Return when none of them runs any more."""
    lines = [Path(f"/proc/{pid}/cmdline") for pid in pids]
    for line in lines:
        with suppress(ProcessLookupError):
            os.kill(int(line.parent.name), signal.SIGKILL)
    wait_until(lambda: not any(map(_read, lines)), 30, lambda: f"one of {lines} lives on")


def _read(path: Path) -> bytes:
    """Nothing of a process that has ended."""
    try:
        return path.read_bytes()
    except OSError:
        return b""


@contextmanager
def second_docker() -> Iterator[Dockerd]:
    """Skips where none can be run: without root, or without the program."""
    if os.geteuid() != 0 or shutil.which("dockerd") is None:
        pytest.skip("a second Docker engine takes root and dockerd")
    with ExitStack() as undo:
        undo.enter_context(network_of_its_own())
        dockerd = Dockerd(Path(tempfile.mkdtemp(prefix="pushdeploy-docker-")))
        undo.callback(dockerd.close)
        try:
            dockerd.start()
        except AssertionError as error:
            pytest.skip(str(error))
        yield dockerd


def dockerfile() -> str:
    """For an app of a second engine, which has the stack that apps run on, and no other."""
    return _DOCKERFILE.format(stack=stack_image())


def bring(images: list[str], dockerd: Dockerd) -> None:
    """Copy images of the machine's engine to another."""
    with subprocess.Popen(["docker", "save", *images], stdout=subprocess.PIPE) as saved:
        subprocess.run(
            ["docker", "-H", dockerd.host, "load", "--quiet"],
            stdin=saved.stdout,
            check=True,
            capture_output=True,
        )
    assert saved.returncode == 0
