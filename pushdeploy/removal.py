"""Takes away all that ``init`` and ``serve`` of one server have made, and nothing else."""

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pushdeploy
from pushdeploy.disks.conversion import unseal
from pushdeploy.domain.container import ImageInfo
from pushdeploy.domain.errors import BackendDown, Busy, PushdeployError, UserError
from pushdeploy.engine.docker import DockerEngine
from pushdeploy.founding import quoted
from pushdeploy.instance import Home, read_instance
from pushdeploy.output import Output
from pushdeploy.settings import Settings

_PATH = "/usr/sbin:/sbin:/usr/bin:/bin"
_STOP_SECONDS = 90
_NGINX_SECONDS = 10
_CONTAINERS_SECONDS = 60
_POLL_SECONDS = 0.1
_STACKS = "pushdeploy/stack:"
_SYSTEMD = Path("/run/systemd/system")


def remove_server(settings: Settings, unit: Path, purge: bool, output: Output) -> None:
    """Remove the service, nginx, containers, images, networks, rules and mounts of this server.

    ``purge`` removes the home too, with all data of its apps. What was removed before is passed
    over, so that it may be run again.
    """
    home = Home(settings.home)
    instance = read_instance(home.root)
    if purge:
        _refuse_own_ground(home)
    with _unserved(home, unit, output):
        with output.step("Stopping nginx"):
            _stop_router(home, output)
        with output.step(f"Removing what instance {instance} has in Docker"):
            _remove_from_docker(instance, settings, output)
        with output.step("Unmounting its disks"):
            _unmount(home, output)
        if purge:
            with output.step(f"Removing the home {home.root}"):
                _remove_home(home)


def _refuse_own_ground(home: Home) -> None:
    """Raise ``UserError`` where the home holds more than a home: this program, or all of a
    machine.
    """
    root = home.root.resolve()
    if Path(pushdeploy.__file__).resolve().is_relative_to(root) or len(root.parts) < 3:
        raise UserError(
            f"{root} holds more than the home of a server: it is not removed as a whole",
            "leave out --purge, and remove what you do not need by hand",
        )


# ---------------------------------------------------------------- the service


def _remove_unit(home: Home, unit: Path, output: Output) -> None:
    """Before its process is stopped, for systemd would start another one."""
    if not unit.exists() or f'"PUSHDEPLOY_HOME={quoted(home.root)}"' not in unit.read_text():
        return
    runs = _SYSTEMD.is_dir()
    if runs:
        _call("systemctl", "disable", "--now", unit.name)
    unit.unlink()
    if runs:
        _call("systemctl", "daemon-reload")
    output.detail(f"{unit} is removed")


@contextmanager
def _unserved(home: Home, unit: Path, output: Output) -> Iterator[None]:
    """Nobody serves the home, and nobody can begin to meanwhile."""
    descriptor = os.open(home.pid_file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        with output.step("Stopping the server"):
            _remove_unit(home, unit, output)
            _stop_server(home, descriptor, output)
        yield
    finally:
        os.close(descriptor)


def _stop_server(home: Home, descriptor: int, output: Output) -> None:
    if _locked(descriptor):
        return
    pid = _server_of(home)
    for number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.kill(pid, number)
        if _wait(lambda: _locked(descriptor), _STOP_SECONDS):
            output.detail(f"process {pid} has ended")
            return
    raise Busy(f"process {pid} does not end", f"kill -KILL {pid}")


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _server_of(home: Home) -> int:
    said = home.pid_file.read_text().strip()
    with suppress(OSError):
        if said and "serve" in Path(f"/proc/{said}/cmdline").read_text():
            return int(said)
    raise Busy(
        f"process {said or 'unknown'} has {home.root}, and is not this machine's to stop",
        "stop it where it runs, then try again",
    )


# ---------------------------------------------------------------- nginx


def _stop_router(home: Home, output: Output) -> None:
    """Whatever works in nginx's directory: the master, its workers, and who holds requests."""
    found = _working_in(home.nginx)
    for number in (signal.SIGTERM, signal.SIGKILL):
        for pid in _working_in(home.nginx):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        if _wait(lambda: not _working_in(home.nginx), _NGINX_SECONDS):
            break
    if found:
        output.detail(f"{len(found)} processes have ended")


def _working_in(directory: Path) -> Sequence[int]:
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and (entry / "cwd").readlink() == directory.resolve():
                found.append(int(entry.name))
    return found


# ---------------------------------------------------------------- Docker


def _remove_from_docker(instance: str, settings: Settings, output: Output) -> None:
    """By the labels of this instance alone. Stacks carry their maker's too, and are everybody's."""
    with DockerEngine(instance, settings.docker_host, lan_closed=settings.lan_closed) as engine:
        containers = engine.containers({})
        for container in containers:
            engine.remove(container.id)
        if not _wait(lambda: not engine.containers({}), _CONTAINERS_SECONDS):
            raise BackendDown(f"containers of {instance} stay", "docker ps -a, then try again")
        images = _remove_images(engine)
        _remove_networks(engine)
        output.detail(f"{len(containers)} containers, {images} images, its networks and rules")


def _remove_images(engine: DockerEngine) -> int:
    """Again and again while some go, for an image outlives what stands on it."""
    removed = 0
    while True:
        there = _images_of(engine)
        for image in there:
            for name in [*image.tags, image.id]:
                engine.remove_image(name)
        left = _images_of(engine)
        removed += len(there) - len(left)
        if not left or len(left) == len(there):
            return removed


def _images_of(engine: DockerEngine) -> Sequence[ImageInfo]:
    return [
        image
        for image in engine.images({})
        if not any(tag.startswith(_STACKS) for tag in image.tags)
    ]


def _remove_networks(engine: DockerEngine) -> None:
    """Docker may still count what was on them."""
    told: list[PushdeployError] = []

    def gone() -> bool:
        try:
            engine.remove_network()
        except PushdeployError as error:
            told.append(error)
            return False
        return True

    if not _wait(gone, _NGINX_SECONDS):
        raise told[-1]


# ---------------------------------------------------------------- the disk


def _unmount(home: Home, output: Output) -> None:
    """Disks with a size, the innermost first; their data stays in files of the home."""
    below = f"{home.root.resolve()}/"
    lines = Path("/proc/self/mounts").read_text().splitlines()
    places = [line.split()[1].encode().decode("unicode_escape") for line in lines]
    mounted = [place for place in reversed(places) if place.startswith(below)]
    for place in mounted:
        _call("umount", place)
    if mounted:
        output.detail(f"{len(mounted)} are unmounted")


def _remove_home(home: Home) -> None:
    for place in home.disks.glob("*/*"):
        unseal(place)
    root = home.root.resolve()
    try:
        shutil.rmtree(root)
    except OSError as error:
        if list(root.iterdir()):  # a home that is a file system of its own is emptied
            raise BackendDown(f"{root} cannot be removed: {error}", f"rm -r {root}") from error


def _call(*words: str) -> None:
    done = subprocess.run(words, env={"PATH": _PATH}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise BackendDown(f"{words[0]} failed: {done.stderr.strip()}", " ".join(words))


def _wait(settled: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not settled():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
