"""Containers of the fake engine: processes of this machine, and what Docker would know of them."""

import os
import queue
import secrets
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, Literal

from pushdeploy.domain.container import (
    ContainerInfo,
    ContainerSpec,
    ImageInfo,
    LogLine,
)
from pushdeploy.domain.errors import PushdeployError

ADDRESS = "127.0.0.1"

Tell = Callable[[str, "FakeContainer"], None]
"""Called with what has happened to a container."""


@dataclass
class FakeImage:
    info: ImageInfo
    files: dict[str, bytes] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)


class FakeContainer:
    """A process with what Docker would know of it."""

    def __init__(self, spec: ContainerSpec, image: FakeImage, tell: Tell) -> None:
        self.spec = spec
        self.image = image
        self.id = secrets.token_hex(32)
        self.files = dict(image.files)
        self.kept = False
        self.state: Literal["created", "running", "restarting", "exited"] = "created"
        self._tell = tell
        self._created_at = datetime.now(UTC)
        self._changed = threading.Condition()
        self._lines: list[LogLine] = []
        self._attached: FakeStreams | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._exit_code: int | None = None
        self._restarts = 0
        self._stopped = False

    def environment(self) -> dict[str, str]:
        return {"PATH": os.defpath, **self.image.environment, **self.spec.environment}

    def info(self) -> ContainerInfo:
        return ContainerInfo(
            id=self.id,
            name=self.spec.name,
            image=self.image.info.id,
            labels=self.spec.labels,
            state=self.state,
            exit_code=None if self.state in {"created", "running"} else self._exit_code,
            out_of_memory=False,
            address=ADDRESS if self.state == "running" else "",
            created_at=self._created_at,
            restarts=self._restarts,
            kept=self.kept,
        )

    def start(self) -> None:
        entrypoint = self.spec.entrypoint
        program = self.image.info.entrypoint if entrypoint is None else entrypoint
        found = {target: source for source, target in self.spec.read_only_mounts}
        words = self.spec.command or self.image.info.command
        command = [found.get(word, word) for word in words]  # a file lies where it was mounted from
        # env(1) stands in for Docker's init: it, too, ends with 127 where there is no such program.
        self._process = subprocess.Popen(
            ["/usr/bin/env", *program, *command],
            env=self.environment(),
            stdin=subprocess.PIPE if self.spec.open_stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._stopped = False
        self._become("running")
        self._tell("start", self)
        threading.Thread(target=self._live, args=[self._process], daemon=True).start()

    def stop(self, grace_seconds: int) -> None:
        self._stopped = True
        if self.state == "restarting":
            self._become("exited")
        self.signal("TERM" if grace_seconds else "KILL")
        deadline = time.monotonic() + grace_seconds
        with self._changed:
            self._changed.wait_for(self._is_over, max(0.0, deadline - time.monotonic()))
        self.signal("KILL")
        if self.state == "running":
            self.wait()

    def signal(self, name: str) -> None:
        process = self._process
        if process is not None and self.state == "running":
            self._stopped = self._stopped or name == "KILL"
            with suppress(ProcessLookupError):
                os.killpg(process.pid, getattr(signal, f"SIG{name}"))

    def crash(self) -> None:
        """As if the process had been killed behind the engine's back."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)

    def wait(self) -> int:
        with self._changed:
            self._changed.wait_for(self._is_over)
        return self._exit_code or 0

    def attach(self) -> "FakeStreams":
        self._attached = FakeStreams(self)
        return self._attached

    def write(self, data: bytes) -> None:
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError, ValueError):
                self._process.stdin.write(data)
                self._process.stdin.flush()

    def end_input(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            with suppress(OSError, ValueError):
                self._process.stdin.close()

    def lines(self, tail: int | None, left: threading.Event | None) -> Iterator[LogLine]:
        """Until ``left`` or the end; without ``left``, what there is."""
        seen = 0 if tail is None else max(0, len(self._lines) - tail)
        while True:
            with self._changed:
                new = self._lines[seen:]
                if not new and (left is None or left.is_set() or self._is_over()):
                    return
                if not new:
                    self._changed.wait(0.05)
            seen += len(new)
            yield from new

    def _is_over(self) -> bool:
        return self.state in {"exited", "restarting"}

    def _become(self, state: Literal["running", "restarting", "exited"]) -> None:
        with self._changed:
            self.state = state
            self._changed.notify_all()

    def _live(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        readers = [
            threading.Thread(target=self._read, args=[1, process.stdout]),
            threading.Thread(target=self._read, args=[2, process.stderr]),
        ]
        for reader in readers:
            reader.start()
        code = process.wait()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # the end of its first process ends a container
        for reader in readers:
            reader.join()
        if process.stdin is not None:
            with suppress(OSError):
                process.stdin.close()
        self._exit_code = 128 - code if code < 0 else code
        if self._attached is not None:
            self._attached.parts.put(None)
        again = self.kept and not self._stopped
        self._become("restarting" if again else "exited")
        self._tell("die", self)
        if again:
            time.sleep(0.1)
            self._restarts += 1
            with suppress(PushdeployError):
                if not self._stopped:
                    self.start()

    def _read(self, stream: Literal[1, 2], pipe: IO[bytes]) -> None:
        rest = b""
        with pipe:
            while data := os.read(pipe.fileno(), 65536):
                if self._attached is not None:
                    self._attached.parts.put((stream, data))
                *whole, rest = (rest + data).split(b"\n")
                self._log(stream, whole)
        self._log(stream, [rest] if rest else [])

    def _log(self, stream: Literal[1, 2], texts: Sequence[bytes]) -> None:
        with self._changed:
            now = datetime.now(UTC)
            self._lines += [LogLine(now, stream, t.decode(errors="replace")) for t in texts]
            self._changed.notify_all()


class FakeStreams:
    def __init__(self, container: FakeContainer) -> None:
        self._container = container
        self.parts: queue.SimpleQueue[tuple[Literal[1, 2], bytes] | None] = queue.SimpleQueue()

    def read(self) -> tuple[Literal[1, 2], bytes] | None:
        part = self.parts.get()
        if part is None:
            self.parts.put(None)
        return part

    def write(self, data: bytes) -> None:
        self._container.write(data)

    def end_input(self) -> None:
        self._container.end_input()

    def close(self) -> None:
        self.parts.put(None)
        if not self._container.spec.stdin_stays:
            self._container.end_input()
