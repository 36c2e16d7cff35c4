"""A manifest: everything that a scheduler needs to run a release, and nothing else."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pushdeploy.domain.app import APP_GROUP, App
from pushdeploy.domain.capabilities import ORDINARY
from pushdeploy.domain.contract import environment
from pushdeploy.domain.formation import quantities
from pushdeploy.domain.names import WEB, AppName, ImageDigest, ProcessType
from pushdeploy.domain.pipeline import Place
from pushdeploy.domain.release import Release
from pushdeploy.domain.slug import Healthcheck
from pushdeploy.domain.task import Slot

_PORT = re.compile(r"[1-9][0-9]{0,4}")


@dataclass(frozen=True, slots=True)
class Limits:
    """Memory in bytes (0: none), CPUs as a fraction of one (0: none).

    ``cpu_shares`` weigh a container against others while CPUs are short; Docker's default is 1024.
    """

    memory_bytes: int = 512 * 1024 * 1024
    cpus: float = 0
    pids: int = 512
    cpu_shares: int = 512


@dataclass(frozen=True, slots=True)
class Mount:
    """A directory of the host and where the container sees it."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """``command`` goes to a shell; empty means what the image itself starts."""

    command: str
    quantity: int
    checks: Sequence[Healthcheck] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """``environment`` is common to all tasks; DYNO and PORT are added for each of them.

    ``user`` is ``uid:gid``, or None for the image's own. ``group`` owns the disks and is no other
    app's. ``capabilities`` are all that root has there, and none for a ``user``. What runs in a
    ``rehearsal`` is no task of the app; ``isolated`` it has no way out of the machine.
    ``scheduler`` runs it, empty for that of the server.
    """

    app: AppName
    version: int
    image: ImageDigest
    environment: Mapping[str, str] = field(repr=False)
    processes: Mapping[ProcessType, ProcessSpec]
    mounts: Sequence[Mount]
    user: str | None
    group: int
    port: int
    limits: Limits
    boot_timeout_seconds: float
    stop_grace_seconds: int
    capabilities: Sequence[str] = ()
    rehearsal: bool = False
    scheduler: str = ""
    isolated: bool = False

    def slots(self) -> Sequence[Slot]:
        """Every place of the formation, web first."""
        ordered = sorted(self.processes, key=lambda kind: (kind != WEB, kind))
        return [
            Slot(kind, index)
            for kind in ordered
            for index in range(1, self.processes[kind].quantity + 1)
        ]


def manifest_of(
    app: App,
    release: Release,
    mounts: Sequence[Mount],
    limits: Limits,
    place: Place | None = None,
) -> Manifest:
    """The manifest of ``release`` in the formation and the ``place`` that ``app`` has now."""
    slug = release.slug
    ours = slug.runs_as == "app"
    counts = quantities(slug.process_types, app.formation, slug.formation)
    return Manifest(
        app=app.name,
        version=release.version,
        image=slug.image,
        environment=environment(
            release,
            limits.memory_bytes,
            limits.cpus,
            place,
            heroku_names=app.settings.run.heroku_names,
        ),
        processes={
            kind: ProcessSpec(command, counts[kind], tuple(slug.checks.get(kind, ())))
            for kind, command in slug.process_types.items()
        },
        mounts=tuple(mounts),
        user=f"{app.uid}:{APP_GROUP}" if ours else None,
        group=app.uid,
        port=slug.port or web_port(release.whole_config),
        limits=limits,
        boot_timeout_seconds=app.settings.run.boot_timeout_seconds,
        stop_grace_seconds=app.settings.run.stop_grace_seconds,
        capabilities=() if ours else (*ORDINARY, *app.settings.run.capabilities),
        scheduler=release.scheduler or "",
    )


def web_port(config: Mapping[str, str]) -> int:
    """Return the port of web: ``PORT`` of the config when it is a port, else 5000."""
    text = config.get("PORT", "")
    return int(text) if _PORT.fullmatch(text) and int(text) < 65536 else 5000
