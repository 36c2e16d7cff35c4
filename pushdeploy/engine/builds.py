"""Dockerfiles are built by BuildKit where a program can drive it, else by the classic builder."""

import json
import re
import shutil
import tempfile
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import requests

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.container import BuildOptions, BuildTool
from pushdeploy.domain.errors import BackendDown, BuildFailed, PushdeployError
from pushdeploy.domain.known_secrets import hideable, without
from pushdeploy.domain.leftovers import BuildRecord
from pushdeploy.domain.names import ImageDigest
from pushdeploy.domain.time_out import timing_out
from pushdeploy.engine import buildkit
from pushdeploy.engine.buildkit import BuildEnd
from pushdeploy.engine.connection import Stream
from pushdeploy.engine.errors import answering
from pushdeploy.engine.images import Images
from pushdeploy.engine.network import Network
from pushdeploy.engine.payloads import IMAGE_LABEL, moment

_ALONE = "builds"
"""The bridge of classic builds, whose steps have Docker's default capabilities."""
_TAIL_LINES = 20
_CHUNK_BYTES = 256 * 1024
_IDS_AT_ONCE = 50
_COUNTING_SECONDS = 20.0
"""How long Docker may count for others before we give up for now."""

_LOOK_AGAIN_SECONDS = 0.5
_NO_IMAGE = "pushdeploy/no-such-image"
_CPU_PERIOD_MICROSECONDS = 100_000


class Builds(Images, Network):
    """The calls that build a Dockerfile, and that tell and remove what builds leave.

    Limits: the time-out always holds. Memory and CPUs hold in the classic builder; BuildKit's
    RUN steps cannot be limited from outside, and run on Docker's own bridge. ``ca_bundle`` reaches
    neither builder: nothing can be put into the steps of somebody else's Dockerfile, which brings
    its own certificates.
    """

    def __init__(self, instance: str, host: str | None = None, *, lan_closed: bool = False) -> None:
        super().__init__(instance, host, lan_closed=lan_closed)
        self._probing = threading.Lock()
        self._client_probed = False
        self._client_program: str | None = None

    def build(
        self,
        context: BinaryIO,
        dockerfile: str,
        tag: str,
        options: BuildOptions,
        line: Callable[[str], None],
        cancellation: Cancellation,
    ) -> ImageDigest:
        self.version()  # an engine that does not answer is found before anything is begun
        self.close_host()
        tail: deque[str] = deque(maxlen=_TAIL_LINES)
        public = options.arguments.keys()
        hidden = hideable(text for name, text in options.secrets.items() if name not in public)

        def heard(said: str) -> None:
            text = without(said, hidden)
            tail.append(text)
            line(text)

        buildkit.refuse_heeded(options.arguments)
        program = self._buildkit_client()
        if program is None:
            ended = self._classic(context, dockerfile, tag, options, heard, cancellation)
        else:
            labels = {IMAGE_LABEL: self.instance}
            command = buildkit.build_command(program, dockerfile, tag, labels, options)
            host = self.address().get("base_url")
            with buildkit.directory(self.instance) as place:
                where = buildkit.Client(command, host, place)
                ended = buildkit.run(where, context, options, heard, cancellation)
        _check(ended, dockerfile, options, list(tail))
        return self._digest(tag)

    def build_tool(self) -> BuildTool:
        numbers = [int(digits) for digits in re.findall(r"[0-9]+", self.version())[:2]]
        major, minor = [*numbers, 0, 0][:2]
        return BuildTool(self._buildkit_client() is not None, (major, minor))

    def sweep(self) -> None:
        """Remove the directories of docker programs that ended with their server."""
        for left in Path(tempfile.gettempdir()).glob(f"{buildkit.prefix(self.instance)}*"):
            shutil.rmtree(left, ignore_errors=True)

    def build_records(self) -> Sequence[BuildRecord]:
        found = self._disk_usage().json().get("BuildCache") or []
        return [build_record(each) for each in found if not each.get("InUse")]

    def _disk_usage(self) -> requests.Response:
        """Ask again while Docker counts for somebody else: it counts for one asker at a time."""
        parameters, doing = {"type": "build-cache"}, "list the build cache"
        until = time.monotonic() + _COUNTING_SECONDS
        while True:
            try:
                return self.request("GET", "/system/df", doing, params=parameters)
            except PushdeployError as error:
                if "already running" not in error.message or time.monotonic() > until:
                    raise
            # A fixed pause: whoever waits longer and longer is always overtaken by those who came
            # later.
            time.sleep(_LOOK_AGAIN_SECONDS)

    def forget_records(self, ids: Sequence[str]) -> None:
        """Remove these records, but for those that have come into use meanwhile."""
        for some in _portions(ids):
            parameters = {
                "all": "1",
                "filters": json.dumps({"id": {f"^({'|'.join(some)})$": True}}),
            }
            self.request("POST", "/build/prune", "prune the build cache", params=parameters)

    def nameless_images(self) -> Sequence[tuple[ImageDigest, datetime]]:
        with answering("list the images"):
            listed = self.api.images(filters={"dangling": True})
        return [
            (ImageDigest(each["Id"]), datetime.fromtimestamp(each["Created"], UTC))
            for each in listed
        ]

    def _buildkit_client(self) -> str | None:
        """Not with TLS: its certificates are known to docker-py alone."""
        with self._probing:
            if not self._client_probed:
                usable = "tls" not in self.address()
                self._client_program = buildkit.find_client(buildkit.places() if usable else [])
                self._client_probed = True
            return self._client_program

    def _classic(
        self,
        context: BinaryIO,
        dockerfile: str,
        tag: str,
        options: BuildOptions,
        line: Callable[[str], None],
        cancellation: Cancellation,
    ) -> BuildEnd:
        doing = f"build {tag}"
        parameters = {
            **classic_parameters(dockerfile, tag, self.instance, options),
            "networkmode": self.ensure_network(alone=_ALONE),
        }
        until = time.monotonic() + options.timeout_seconds
        try:
            response = self.request(
                "POST",
                "/build",
                doing,
                params=parameters,
                data=iter(lambda: context.read(_CHUNK_BYTES), b""),
                headers={"Content-Type": "application/x-tar"},
                stream=True,
                timeout_seconds=options.timeout_seconds,
            )
        except BackendDown:
            if time.monotonic() < until:
                raise
            return BuildEnd(1, timed_out=True)  # it has not even begun to answer
        stream = Stream(response, doing)
        # Docker ends a classic build when nobody listens to it any more.
        with closing(stream), timing_out(options.timeout_seconds, stream.close) as timed_out:
            with cancellation.stopping(stream.close):
                failed = _tell(stream, line)
            cancellation.check()
            return BuildEnd(int(failed), timed_out.is_set())


def classic_parameters(
    dockerfile: str, tag: str, instance: str, options: BuildOptions
) -> dict[str, object]:
    """The query of ``POST /build``."""
    parameters: dict[str, object] = {
        "t": tag,
        "dockerfile": dockerfile,
        "rm": 1,
        "forcerm": 1,
        "labels": json.dumps({**options.labels, IMAGE_LABEL: instance}),
        "buildargs": json.dumps(dict(options.arguments)),
    }
    if options.scope:
        # Naming any image keeps the builder from looking for a step's result in every other one.
        parameters["cachefrom"] = json.dumps([*options.cached_from] or [_NO_IMAGE])
    if options.memory_bytes:
        parameters["memory"] = parameters["memswap"] = options.memory_bytes
    if options.cpus:
        parameters["cpuperiod"] = _CPU_PERIOD_MICROSECONDS
        parameters["cpuquota"] = round(options.cpus * _CPU_PERIOD_MICROSECONDS)
    return parameters


def build_record(listed: Mapping[str, Any]) -> BuildRecord:
    """Read a record of ``GET /system/df``; one never used counts from when it was made."""
    return BuildRecord(
        id=str(listed["ID"]),
        created_at=moment(listed["CreatedAt"]),
        used_at=moment(listed.get("LastUsedAt") or listed["CreatedAt"]),
        size_bytes=int(listed.get("Size") or 0),
        context=str(listed.get("Description", "")).startswith("http url http://build-context-"),
    )


def _portions(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    """Split ids into lists that fit into an address: the filter stands there."""
    for start in range(0, len(ids), _IDS_AT_ONCE):
        yield ids[start : start + _IDS_AT_ONCE]


def _tell(stream: Stream, line: Callable[[str], None]) -> bool:
    """Give out what the builder says, line by line: whether it said that it failed."""
    failed = False
    rest = ""
    for item in _items(stream):
        text = str(item.get("stream") or item.get("error") or "")
        failed = failed or "error" in item
        *whole, rest = (rest + text).split("\n")
        for said in whole:
            line(said.rstrip("\r"))
    if rest:
        line(rest)
    return failed


def _items(stream: Stream) -> Iterator[dict[str, object]]:
    rest = b""
    for chunk in stream.chunks():
        *whole, rest = (rest + chunk).split(b"\n")
        yield from (json.loads(item) for item in whole if item.strip())


def _check(ended: BuildEnd, dockerfile: str, options: BuildOptions, tail: list[str]) -> None:
    if ended.timed_out:
        raise BuildFailed(
            f"the build of {dockerfile} took over {options.timeout_seconds:g} s",
            "make it shorter, or raise PUSHDEPLOY_BUILD_TIMEOUT_SECONDS",
            log_tail=tail,
        )
    if ended.exit_code:
        raise BuildFailed(
            f"the build of {dockerfile} failed",
            "mend what the lines above name, commit and push again",
            exit_code=ended.exit_code,
            log_tail=tail,
        )
