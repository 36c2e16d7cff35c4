"""An engine without Docker: containers are processes of this machine, everything else is memory.

``tests/contracts/test_engine.py`` holds it and the real one to the same behaviour. Its processes
are not isolated, and all of them have the address 127.0.0.1.
"""

import io
import queue
import secrets
import subprocess
import tarfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import BinaryIO

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.container import (
    BuildOptions,
    BuildTool,
    ContainerInfo,
    ContainerSpec,
    EngineEvent,
    ImageChange,
    ImageInfo,
    LogLine,
)
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.leftovers import BuildRecord
from pushdeploy.domain.names import ImageDigest
from tests.fake_containers import FakeContainer, FakeImage, FakeStreams

TIMED_OUT = 124


class FakeEngine:
    """The Engine port. ``add_image`` gives it something to run."""

    def __init__(self, instance: str = "fake0000") -> None:
        self.instance = instance
        self._lock = threading.RLock()
        self._containers: dict[str, FakeContainer] = {}
        self._images: dict[ImageDigest, FakeImage] = {}
        self.records: list[BuildRecord] = []
        self._listeners: list[queue.SimpleQueue[EngineEvent | None]] = []

    def add_image(
        self,
        tag: str,
        *,
        labels: Mapping[str, str] | None = None,
        command: Sequence[str] = (),
        exposed_ports: Sequence[int] = (),
        digest: ImageDigest | None = None,
    ) -> ImageDigest:
        """An image whose programs are those of this machine."""
        digest = digest or ImageDigest("sha256:" + secrets.token_hex(32))
        info = ImageInfo(digest, labels or {}, 0, (), tuple(command), (), exposed_ports, "", "")
        self._images[digest] = FakeImage(info)
        self.tag(digest, tag)
        return digest

    def close(self) -> None:
        """End all processes."""
        for container in list(self._containers):
            self.remove(container)

    # ------------------------------------------------------------- containers

    def version(self) -> str:
        return "fake"

    def create(self, spec: ContainerSpec) -> str:
        with self._lock:
            if any(other.spec.name == spec.name for other in self._containers.values()):
                raise PushdeployError(f"the name {spec.name} is taken")
            container = FakeContainer(spec, self._image(spec.image), self.tell)
            self._containers[container.id] = container
        return container.id

    def start(self, container: str) -> None:
        self._get(container).start()

    def stop(self, container: str, grace_seconds: int) -> None:
        found = self._containers.get(container)
        if found is not None:
            found.stop(grace_seconds)

    def signal(self, container: str, name: str) -> None:
        found = self._containers.get(container)
        if found is not None:
            found.signal(name)

    def wait(self, container: str) -> int:
        return self._get(container).wait()

    def remove(self, container: str) -> None:
        found = self._containers.get(container)
        if found is not None:
            found.stop(0)
            with self._lock:
                self._containers.pop(container, None)
            self.tell("destroy", found)

    def keep_running(self, container: str, always: bool) -> None:
        self._get(container).kept = always

    def inspect(self, container: str) -> ContainerInfo | None:
        found = self._containers.get(container)
        return found.info() if found else None

    def containers(self, labels: Mapping[str, str]) -> Sequence[ContainerInfo]:
        with self._lock:
            infos = [container.info() for container in self._containers.values()]
        return [info for info in infos if _carries(info.labels, labels)]

    def attach(self, container: str, tty: bool) -> FakeStreams:
        return self._get(container).attach()

    def resize(self, container: str, columns: int, rows: int) -> None:
        """No terminals here."""

    def execute(self, container: str, command: Sequence[str], timeout_seconds: float) -> int:
        found = self._get(container)
        if found.state != "running":
            raise PushdeployError("the container does not run")
        try:
            code = subprocess.run(
                command,
                check=False,
                env=found.environment(),
                capture_output=True,
                timeout=timeout_seconds,
            ).returncode
            return 128 - code if code < 0 else code
        except subprocess.TimeoutExpired:
            return TIMED_OUT

    @contextmanager
    def logs(
        self, container: str, *, tail: int | None = None, follow: bool = False
    ) -> Iterator[Iterator[LogLine]]:
        left = threading.Event()
        try:
            yield self._get(container).lines(tail, left if follow else None)
        finally:
            left.set()

    # ------------------------------------------------------------- files and images

    def put_archive(self, container: str, path: str, tar: Iterable[bytes]) -> None:
        files = _files_of(io.BytesIO(b"".join(tar)))
        found = self._get(container)
        found.files |= {f"{path.rstrip('/')}/{name}": data for name, data in files.items()}

    @contextmanager
    def get_archive(self, container: str, path: str) -> Iterator[Iterator[bytes]]:
        parent = path.rstrip("/").rpartition("/")[0]
        found = {
            name.removeprefix(parent + "/"): data
            for name, data in self._get(container).files.items()
            if name == path or name.startswith(path.rstrip("/") + "/")
        }
        if not found:
            raise PushdeployError(f"{path} is not there")
        yield iter([_tar_of(found)])

    def commit(self, container: str, tag: str, change: ImageChange) -> ImageDigest:
        found = self._get(container)
        labels = {**found.image.info.labels, **found.spec.labels}
        digest = self._make(found.image, found.files, labels, change)
        self.tag(digest, tag)
        return digest

    def import_image(self, tar: BinaryIO, tag: str, change: ImageChange) -> ImageDigest:
        nothing = FakeImage(ImageInfo(ImageDigest(""), {}, 0, (), (), (), (), "", ""))
        files = {f"/{name}": data for name, data in _files_of(tar).items()}
        digest = self._make(nothing, files, {}, change)
        self.tag(digest, tag)
        return digest

    def image(self, reference: str) -> ImageInfo | None:
        with suppress(PushdeployError):
            return self._image(reference).info
        return None

    def images(self, labels: Mapping[str, str]) -> Sequence[ImageInfo]:
        return [i.info for i in self._images.values() if _carries(i.info.labels, labels)]

    def tag(self, image: str, tag: str) -> None:
        target = self._image(image)
        for other in self._images.values():
            tags = [known for known in other.info.tags if known != tag]
            other.info = replace(other.info, tags=tuple(tags))
        target.info = replace(target.info, tags=(*target.info.tags, tag))

    def remove_image(self, reference: str) -> None:
        with suppress(PushdeployError):
            image = self._image(reference)
            left = [tag for tag in image.info.tags if tag != reference]
            image.info = replace(image.info, tags=tuple(left))
            in_use = any(c.image is image for c in self._containers.values())
            if not left and not in_use:
                del self._images[image.info.id]

    def pull(self, reference: str) -> ImageDigest:
        raise PushdeployError(f"{reference} cannot be pulled: there is no registry")

    def build_tool(self) -> BuildTool:
        return BuildTool(buildkit=False, version=(20, 10))

    def build(
        self,
        context: BinaryIO,
        dockerfile: str,
        tag: str,
        options: BuildOptions,
        line: Callable[[str], None],
        cancellation: Cancellation,
    ) -> ImageDigest:
        """Takes the context for the image; runs none of the steps."""
        cancellation.check()
        line(f"Step 1/1 : {dockerfile}")
        change = ImageChange(labels=options.labels)
        return self.import_image(context, tag, change)

    def sweep(self) -> None:
        """Nothing is left on this machine."""

    def build_records(self) -> Sequence[BuildRecord]:
        return self.records

    def forget_records(self, ids: Sequence[str]) -> None:
        self.records = [record for record in self.records if record.id not in ids]

    def nameless_images(self) -> Sequence[tuple[ImageDigest, datetime]]:
        found = (image.info for image in self._images.values() if not image.info.tags)
        return [(info.id, info.created_at) for info in found if info.created_at]

    def ensure_network(self, *, isolated: bool = False, alone: str = "") -> str:
        return f"fake-{self.instance}{'-isolated' if isolated else ''}{alone}"

    def layer_sizes(self) -> Mapping[str, int]:
        """Its containers write where this machine's own programs do."""
        return {}

    def close_host(self) -> Sequence[str]:
        """No rules here."""
        return []

    def remove_network(self, alone: str = "") -> None:
        """No networks here."""

    @contextmanager
    def events(self) -> Iterator[Iterator[EngineEvent]]:
        mine: queue.SimpleQueue[EngineEvent | None] = queue.SimpleQueue()
        mine.put(EngineEvent("connected", "", {}))
        self._listeners.append(mine)
        try:
            yield iter(mine.get, None)
        finally:
            self._listeners.remove(mine)
            mine.put(None)

    # ------------------------------------------------------------- private

    def tell(self, action: str, container: FakeContainer) -> None:
        labels = {**container.spec.labels, "name": container.spec.name}
        for listener in list(self._listeners):
            listener.put(EngineEvent(action, container.id, labels))

    def _get(self, container: str) -> FakeContainer:
        try:
            return self._containers[container]
        except KeyError:
            raise PushdeployError(f"no container {container[:12]}") from None

    def _image(self, reference: str) -> FakeImage:
        for image in self._images.values():
            if reference == image.info.id or reference in image.info.tags:
                return image
        raise PushdeployError(f"no image {reference}")

    def _make(
        self,
        parent: FakeImage,
        files: Mapping[str, bytes],
        labels: Mapping[str, str],
        change: ImageChange,
    ) -> ImageDigest:
        digest = ImageDigest("sha256:" + secrets.token_hex(32))
        info = replace(
            parent.info,
            id=digest,
            labels={**labels, **change.labels},
            tags=(),
            size_bytes=sum(map(len, files.values())),
            created_at=datetime.now(UTC),
            working_dir=change.working_dir or parent.info.working_dir,
            user=change.user or parent.info.user,
        )
        environment = {**parent.environment, **change.environment}
        self._images[digest] = FakeImage(info, dict(files), environment)
        return digest


def _carries(labels: Mapping[str, str], wanted: Mapping[str, str]) -> bool:
    """An empty value asks for the label's presence."""
    return all(name in labels and value in {"", labels[name]} for name, value in wanted.items())


def _files_of(tar: BinaryIO) -> dict[str, bytes]:
    with tarfile.open(fileobj=tar, mode="r|*") as archive:
        return {
            member.name.removeprefix("./"): file.read()
            for member in archive
            if (file := archive.extractfile(member)) is not None
        }


def _tar_of(files: Mapping[str, bytes]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for name, data in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return content.getvalue()
