"""What one server has made of containers, images and nginx, looked at and removed from outside."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pushdeploy.disks.conversion import unseal
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.engine import firewall
from pushdeploy.engine.docker import DockerEngine
from pushdeploy.engine.rules import HostRules
from tests.stories.means import run, run_checked, wait_until

STACKS = "pushdeploy/stack"
NOTES = Path(tempfile.gettempdir()) / "pushdeploy-test-homes"
"""A file for each test server, named by its instance, with the path of its home; with one in /proc
of a test that has none. The names of chains tell nothing of either."""


def engine_answers() -> bool:
    try:
        asked = subprocess.run(["docker", "version"], capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


def containers_of(instance: str, *labels: str) -> list[str]:
    """Ids of one instance's containers that also carry ``labels``."""
    wanted = (f"pushdeploy.instance={instance}", *labels)
    filters = [f"--filter=label={label}" for label in wanted]
    return _docker("container", "ls", "--quiet", "--all", *filters).split()


def images_of(instance: str) -> list[str]:
    """Names, or ids where they have none, of the images that one instance made, but for stacks.

    Stacks carry their maker's label too, and are everybody's.
    """
    form = "{{.Repository}} {{.Tag}} {{.ID}}"
    listed = _docker(
        "image", "ls", f"--filter=label=pushdeploy.made-by={instance}", f"--format={form}"
    )
    rows = [line.split() for line in listed.splitlines()]
    return [
        identifier if "<none>" in (name, tag) else f"{name}:{tag}"
        for name, tag, identifier in rows
        if name != STACKS
    ]


def stack_image() -> str:
    """A tag of the stack that apps run on: the base of a story's own Dockerfile."""
    listed = _docker("image", "ls", "--format={{.Repository}}:{{.Tag}}", STACKS).split()
    return next(tag for tag in listed if ":bookworm-run" in tag)


def remove_labelled(instance: str) -> None:
    """Everything of one instance and of no other, containers first.

    Docker may still be taking a container away, or starting one that it has just restarted.
    """
    wait_until(
        lambda: _all_containers_removed(instance), 60, lambda: f"containers of {instance} stay"
    )
    images = images_of(instance)
    if images:
        run(["docker", "image", "rm", "-f", *images], cwd=Path("/"))
    _remove_network(instance)


def _all_containers_removed(instance: str) -> bool:
    containers = containers_of(instance)
    if containers:
        run(["docker", "container", "rm", "-f", "-v", *containers], cwd=Path("/"))
    return not containers


def _remove_network(instance: str) -> None:
    """Docker 20.10 may lose count of a network's endpoints, and keeps it then until it restarts."""
    engine = DockerEngine(instance)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with suppress(PushdeployError):
            engine.remove_network()
            return
        time.sleep(0.2)


def note_home(instance: str, home: Path, notes: Path = NOTES) -> None:
    """So that a later run takes the rules away, should this one be killed."""
    notes.mkdir(exist_ok=True)
    (notes / instance).write_text(str(home))


def forget_home(instance: str, notes: Path = NOTES) -> None:
    (notes / instance).unlink(missing_ok=True)


def remove_rules_of_gone_homes(notes: Path = NOTES) -> Sequence[str]:
    """The instances of test servers whose home is no more: their chains go, and nobody else's."""
    gone = [note.name for note in notes.glob("*") if not Path(_said(note) or "/").exists()]
    for instance in gone:
        firewall.remove(HostRules(instance, []))
        forget_home(instance, notes)
    return gone


def _said(note: Path) -> str:
    """Empty where another run has just removed it."""
    try:
        return note.read_text()
    except FileNotFoundError:
        return ""


def _docker(*words: str) -> str:
    return run_checked(["docker", *words], cwd=Path("/")).stdout


def stop_nginx(home: Path) -> None:
    """It outlives the server on purpose; a pid of somebody else's is left alone."""
    directory = home / "nginx"
    path = directory / "nginx.pid"
    pid = int(path.read_text()) if path.exists() else 0
    if pid and _works_in(pid, directory):
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not _works_in(pid, directory), 20, lambda: f"nginx {pid} does not stop")


def kill_router(home: Path) -> None:
    """SIGKILL to nginx and to those that hold requests: all that work in its directory."""
    directory = home / "nginx"
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    found = [pid for pid in pids if _works_in(pid, directory)]
    for pid in found:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_until(
        lambda: not any(_works_in(pid, directory) for pid in found), 20, lambda: "nginx lives on"
    )


def _works_in(pid: int, directory: Path) -> bool:
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == directory.resolve()
    except OSError:
        return False


def unmount_below(root: Path) -> None:
    """The disks with a size of a server that is no more."""
    mounted = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    for place in reversed([each for each in mounted if each.startswith(f"{root}/")]):
        subprocess.run(["umount", "--lazy", place], check=False, capture_output=True)


def unseal_below(root: Path) -> None:
    """What disks were mounted on: until then not even root can remove it."""
    for place in root.glob("home/disks/*/*"):
        unseal(place)
