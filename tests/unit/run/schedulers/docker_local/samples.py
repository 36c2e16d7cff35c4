"""A manifest, its containers and what Docker says of them, for tests of this scheduler."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pushdeploy.domain.container import ContainerInfo, ContainerSpec
from pushdeploy.domain.manifest import Limits, Manifest, Mount, ProcessSpec
from pushdeploy.domain.names import AppName, ImageDigest, ProcessType
from pushdeploy.domain.one_off import OneOff
from pushdeploy.domain.task import Slot
from pushdeploy.run.schedulers.docker_local.specs import Surroundings, once_spec

WEB1 = Slot(ProcessType("web"), 1)
WORKER2 = Slot(ProcessType("worker"), 2)
AROUND = Surroundings("abc")


def manifest_of(**more: Any) -> Manifest:
    facts: dict[str, Any] = {"user": "20001:1000", **more}
    return Manifest(
        app=AppName("shop"),
        version=17,
        image=ImageDigest("sha256:1"),
        environment={"A": "1", "DYNO": "x", "PORT": "7000"},
        processes={
            ProcessType("web"): ProcessSpec("serve --port $PORT", 1),
            ProcessType("worker"): ProcessSpec("", 2),
        },
        mounts=[Mount("/disks/shop/data", "/data")],
        group=20001,
        port=8080,
        limits=Limits(1024, 0.5, 99),
        boot_timeout_seconds=60,
        stop_grace_seconds=12,
        **facts,
    )


def once(
    name: str,
    entry: Path | None = None,
    terminal: str | None = None,
    environment: Mapping[str, str] | None = None,
    **manifest: Any,
) -> ContainerSpec:
    one_off = OneOff(manifest_of(**manifest), "migrate", name, environment=environment or {})
    return once_spec(one_off, AROUND, terminal=terminal, entry=entry)


def info_of(**more: Any) -> ContainerInfo:
    facts: dict[str, Any] = {"state": "exited", "exit_code": None, "kept": False, **more}
    return ContainerInfo(
        id="f" * 64,
        name="one",
        image=ImageDigest("sha256:1"),
        out_of_memory=False,
        address="10.208.0.2",
        created_at=datetime.now(UTC),
        **facts,
    )
