"""Dockerfiles are built by BuildKit through the docker program, since docker-py cannot drive it."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.container import BuildOptions
from pushdeploy.domain.errors import BuildFailed
from pushdeploy.domain.time_out import timing_out

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_HEEDED = re.compile(
    r"(LD|GLIBC|MALLOC|GCONV|DOCKER|BUILDX|BUILDKIT|SSL_CERT|XDG)_.*"
    r"|GO(DEBUG|COVERDIR)|PATH|HOME|LANG|TMPDIR"
)
_CACHE_NAMESPACE = "BUILDKIT_CACHE_MOUNT_NS"
_HIDDEN = "PUSHDEPLOY_SECRET_"
"""What a secret is called in the docker program's environment, which it then cannot heed."""

_PROBE_SECONDS = 20
_DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL")
"""Or a killed server leaves a build behind that nobody waits for and no time-out ends."""
_CHUNK_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class BuildEnd:
    """A build has ended with ``exit_code``, or because it ``timed_out``, which counts more."""

    exit_code: int
    timed_out: bool


def places() -> Sequence[str]:
    """Docker programs may lie here; of several, which may differ in age, the first one wins."""
    found = [shutil.which("docker"), *(f"{folder}/docker" for folder in _PATH.split(":"))]
    return list(dict.fromkeys(place for place in found if place))


def find_client(programs: Sequence[str]) -> str | None:
    """The first of them that exists and can drive BuildKit, or None."""
    usable = (place for place in programs if Path(place).is_file() and _drives_buildkit(place))
    return next(usable, None)


def _drives_buildkit(program: str) -> bool:
    """Tell whether the program has the buildx plug-in, or BuildKit inside, as before version 23."""
    if _said([program, "buildx", "version"]) is not None:
        return True
    version = _said([program, "--version"]) or ""
    number = version.removeprefix("Docker version ").partition(".")[0]
    return number.isdecimal() and 18 < int(number) < 23


def _said(command: Sequence[str]) -> str | None:
    try:
        result = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            env={"PATH": _PATH, "HOME": "/nonexistent"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout if result.returncode == 0 else None


def refuse_heeded(arguments: Mapping[str, str]) -> None:
    """Raise ``BuildFailed`` for build arguments that a builder would take for its own settings.

    The docker program runs as us and on the host, and gets them as its environment: LD_PRELOAD or
    DOCKER_CONFIG would make it run what an app has put on its disk. BUILDKIT_SYNTAX would have the
    Dockerfile read by a program of the app's, past the check of the images that it names.
    """
    for name in sorted(arguments):
        if _HEEDED.fullmatch(name):
            raise BuildFailed(
                f"{name} cannot be an argument of a Dockerfile build",
                "take it out of the config var BUILD_ENV, or give it another name",
            )


def build_command(
    program: str, dockerfile: str, tag: str, labels: Mapping[str, str], options: BuildOptions
) -> Sequence[str]:
    """The command line; the context comes on stdin. Labels include those of ``options``.

    A step's result is found again by what the step is made of, the names of its extra hosts
    among it: a host whose name is the scope's keeps the results of one app from every other. The
    namespace does the same for the ids of cache mounts.
    """
    command = [program, "build", "--progress=plain", "-f", dockerfile, "-t", tag]
    for name, value in sorted({**options.labels, **labels}.items()):
        command += ["--label", f"{name}={value}"]
    for name in sorted(options.arguments):
        command += ["--build-arg", name]
    for name in sorted(options.secrets):
        command += ["--secret", f"id={name},env={_HIDDEN}{name}"]
    if options.scope:
        command += ["--add-host", f"cache-{options.scope}:127.0.0.1"]
        command += ["--build-arg", _CACHE_NAMESPACE]
    return [*command, "-"]


@dataclass(frozen=True, slots=True)
class Client:
    """A docker program and how it is called; it keeps its files in ``home``."""

    command: Sequence[str]
    host: str | None
    home: str


def prefix(instance: str) -> str:
    """The names of such directories begin so: the next start finds by it what was left."""
    return f"pushdeploy-build-{instance}-"


def directory(instance: str) -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix=prefix(instance))


def run(
    client: Client,
    context: BinaryIO,
    options: BuildOptions,
    line: Callable[[str], None],
    cancellation: Cancellation,
) -> BuildEnd:
    """Run the build, giving ``line`` what it says as it comes.

    The child sees nothing of our environment. Build arguments and secrets reach it through its
    own, so that no list of processes and no file shows them. Its group is killed on a cancel and
    at the time-out; the engine then ends the build, for its session is gone.
    """
    process = subprocess.Popen(
        [*_DIES_WITH_US, *client.command],
        env=_environment(client, options),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    with (
        _nothing_left(process),
        timing_out(options.timeout_seconds, lambda: _kill(process)) as timed_out,
    ):
        with cancellation.stopping(lambda: _kill(process)):
            _converse(process, context, line)
        cancellation.check()
        return BuildEnd(process.wait(), timed_out.is_set())


def _environment(client: Client, options: BuildOptions) -> Mapping[str, str]:
    fixed = {"PATH": _PATH, "HOME": client.home, "DOCKER_BUILDKIT": "1", "LANG": "C.UTF-8"}
    if client.host:
        fixed["DOCKER_HOST"] = client.host
    if options.scope:
        fixed[_CACHE_NAMESPACE] = options.scope
    secrets = {f"{_HIDDEN}{name}": value for name, value in options.secrets.items()}
    return {**options.arguments, **secrets, **fixed}


def _converse(
    process: subprocess.Popen[bytes], context: BinaryIO, line: Callable[[str], None]
) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    feeder = threading.Thread(
        target=_feed, args=[context, process.stdin], name="build context", daemon=True
    )
    feeder.start()
    for raw in process.stdout:
        line(raw.decode(errors="replace").rstrip("\r\n"))
    process.wait()
    feeder.join(timeout=10)


def _feed(context: BinaryIO, stdin: IO[bytes]) -> None:
    """Give a build its context; one that breaks off fails it. An ended build reads no more."""
    with suppress(OSError, ValueError):
        shutil.copyfileobj(context, stdin, _CHUNK_BYTES)
    with suppress(OSError):
        stdin.close()


@contextmanager
def _nothing_left(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Nothing of the child is left afterwards."""
    try:
        yield
    finally:
        _kill(process)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _kill(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
