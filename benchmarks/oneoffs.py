"""``run`` over ssh against ``docker run --rm`` typed on the server, and sources against git."""

import shutil
import subprocess
from pathlib import Path

from benchmarks.client import Client
from benchmarks.histories import TREE, History
from benchmarks.measure import Figure, interleaved, timed
from pushdeploy.domain.names import CommitId
from pushdeploy.receive.git import Git
from pushdeploy.receive.source import GitSource
from tests.stories.harness import APPS, Repository, Server
from tests.stories.means import run_checked

_APP = "oneoff"
_LIMITS = ("--memory=512m", "--pids-limit=512")
_PIECE_BYTES = 65536


def measure(server: Server, root: Path, runs: int) -> list[Figure]:
    """``root`` is a directory for the app and the tree."""
    return [*_run(server, root, runs), *_archive(root, runs)]


def _run(server: Server, root: Path, runs: int) -> list[Figure]:
    Repository.create(server, APPS / "hello", root / _APP, _APP).push(check=True)
    product = Client(server.root / "ssh_config", "deploy")
    image, network = _image_and_network(server)
    bare = ["docker", "run", "--rm", "--init", f"--network={network}", *_LIMITS]
    inside = ["--entrypoint=/bin/sh", image, "-c", "true"]

    def docker(*options: str) -> float:
        return timed(lambda: run_checked([*bare, *options, *inside], cwd=root))

    found = interleaved(
        {
            "docker": docker,
            "ours": lambda: timed(lambda: product.run(f"run {_APP} true")),
            "docker tty": lambda: docker("--tty"),
            "ours tty": lambda: timed(lambda: product.run(f"run {_APP} true", "-tt")),
        },
        runs,
    )
    name, terminal = "one-off: ", "one-off with a terminal: "
    return [
        Figure(f"{name}docker run", runs=found["docker"]),
        Figure(f"{name}run", "s", found["ours"], f"{name}docker run", "<= 1.25"),
        Figure(f"{terminal}docker run", runs=found["docker tty"]),
        Figure(f"{terminal}run", "s", found["ours tty"], f"{terminal}docker run", "<= 1.25"),
    ]


def _image_and_network(server: Server) -> tuple[str, str]:
    """What the app's own container has."""
    form = "{{.Image}} {{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}"
    container = server.containers(f"pushdeploy.app={_APP}")[0]
    shown = run_checked(["docker", "inspect", f"--format={form}", container], cwd=server.root)
    image, network = shown.stdout.split()
    return image, network


def _archive(root: Path, runs: int) -> list[Figure]:
    """The context of a build, read to its end; git's own, into cat: a stream has a reader."""
    history = History.create(root / "tree", TREE)
    source = GitSource(
        Git(history.path), CommitId(history.git("rev-parse", "main").strip()), lambda: None
    )
    script = f"git -C {history.path} archive --format=tar main | cat >/dev/null"

    def ours() -> None:
        with source.archive() as tar:
            while tar.read(_PIECE_BYTES):
                pass

    found = interleaved(
        {
            "git": lambda: timed(lambda: subprocess.run(["sh", "-c", script], check=True)),
            "ours": lambda: timed(ours),
        },
        runs,
    )
    shutil.rmtree(history.path)
    return [
        Figure("source of 6,900 files: git archive", runs=found["git"]),
        Figure(
            "source of 6,900 files: ours",
            "s",
            found["ours"],
            "source of 6,900 files: git archive",
            "<= 1.1",
        ),
    ]
