"""Pure functions turn our values into what Docker is sent, and what it says into our values."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from pushdeploy.domain.container import (
    ISOLATED,
    ContainerInfo,
    ContainerSpec,
    ImageChange,
    ImageInfo,
)
from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.names import ImageDigest

INSTANCE_LABEL = "pushdeploy.instance"
"""Whose a container or a network is."""

IMAGE_LABEL = "pushdeploy.made-by"
"""Whose an image is. Containers inherit their image's labels, so it must not be INSTANCE_LABEL."""

ContainerState = Literal["created", "running", "paused", "restarting", "removing", "exited", "dead"]

_KEPT = "unless-stopped"
_LOG = {"Type": "local", "Config": {"max-size": "5m", "max-file": "3"}}


def container_request(spec: ContainerSpec, instance: str, network: str) -> dict[str, Any]:
    """The body of ``POST /containers/create``.

    ``network`` is the name of that which ``spec`` asks for. Mounts are of the kind that fails when
    the host path is missing, never made up as root's.
    """
    body: dict[str, Any] = {
        "Image": spec.image,
        "Labels": {**spec.labels, INSTANCE_LABEL: instance},
        "Env": [f"{name}={value}" for name, value in sorted(spec.environment.items())],
        "User": spec.user or "",
        "WorkingDir": spec.working_dir or "",
        "Tty": spec.tty,
        "OpenStdin": spec.open_stdin,
        "StdinOnce": spec.open_stdin and not spec.stdin_stays,
        "StopTimeout": spec.stop_grace_seconds,
        "HostConfig": _host_config(spec, network),
    }
    if spec.command is not None:
        body["Cmd"] = list(spec.command)
    if spec.entrypoint is not None:
        body["Entrypoint"] = list(spec.entrypoint)
    return body


def _host_config(spec: ContainerSpec, network: str) -> dict[str, Any]:
    config: dict[str, Any] = {
        "Init": True,
        "NetworkMode": network,
        "LogConfig": _LOG,
        "RestartPolicy": {"Name": "no"},
        "GroupAdd": [str(group) for group in spec.groups],
        "SecurityOpt": ["no-new-privileges"],
        "CapDrop": ["ALL"],
        "CapAdd": list(spec.capabilities),
        "Mounts": [
            *(_bind(source, target, read_only=False) for source, target in spec.mounts),
            *(_bind(source, target, read_only=True) for source, target in spec.read_only_mounts),
        ],
    }
    if spec.network == ISOLATED:
        # Else Docker asks a resolver of the host on the container's behalf: a way out for data
        # (CVE-2024-29018). With one of the container's own, where nothing listens, it cannot. Then
        # it answers nothing at all, for which a program would wait ten seconds.
        config["Dns"], config["DnsOptions"] = ["127.0.0.1"], ["timeout:1", "attempts:1"]
    if spec.memory_bytes:
        config["Memory"] = config["MemorySwap"] = spec.memory_bytes
    if spec.cpus:
        config["NanoCpus"] = round(spec.cpus * 1_000_000_000)
    if spec.cpu_shares:
        config["CpuShares"] = spec.cpu_shares
    if spec.pids:
        config["PidsLimit"] = spec.pids
    return config


def _bind(source: str, target: str, *, read_only: bool) -> dict[str, Any]:
    return {"Type": "bind", "Source": source, "Target": target, "ReadOnly": read_only}


def restart_policy(*, always: bool) -> Any:
    """``unless-stopped`` survives crashes and boots but not our own stop."""
    return {"Name": _KEPT if always else "no"}


def commit_config(change: ImageChange, instance: str) -> dict[str, Any]:
    """The body of ``POST /commit``: Docker adds to it what the container has beside.

    That includes the container's labels, so the one that says whose it is must be blotted out.
    """
    return {
        "Labels": {**change.labels, IMAGE_LABEL: instance, INSTANCE_LABEL: ""},
        "Env": [f"{name}={value}" for name, value in sorted(change.environment.items())],
        "WorkingDir": change.working_dir or "",
        "User": change.user or "",
    }


def import_changes(change: ImageChange, instance: str) -> Sequence[str]:
    """The same as Dockerfile lines, which is all that an import takes."""
    labels = {**change.labels, IMAGE_LABEL: instance}
    lines = [f"LABEL {_quoted(name)}={_quoted(value)}" for name, value in sorted(labels.items())]
    lines += [f"ENV {name}={_quoted(value)}" for name, value in sorted(change.environment.items())]
    if change.working_dir:
        lines.append(f"WORKDIR {change.working_dir}")
    if change.user:
        lines.append(f"USER {change.user}")
    return lines


def _quoted(text: str) -> str:
    if "\n" in text:
        raise PushdeployError(f"an imported image cannot carry a newline: {text!r}")
    for special in ("\\", '"', "$"):
        text = text.replace(special, "\\" + special)
    return f'"{text}"'


def label_filter(labels: Mapping[str, str]) -> list[str]:
    """An empty value asks for the label's presence."""
    return [f"{name}={value}" if value else name for name, value in labels.items()]


def container_info(inspected: Mapping[str, Any]) -> ContainerInfo:
    """Read a container from what ``GET /containers/{id}/json`` says."""
    state = inspected["State"]
    status: ContainerState = state["Status"]
    ended = status in {"exited", "dead", "restarting"}
    return ContainerInfo(
        id=inspected["Id"],
        name=inspected["Name"].lstrip("/"),
        image=ImageDigest(inspected["Image"]),
        labels=dict(inspected["Config"]["Labels"] or {}),
        state=status,
        exit_code=state["ExitCode"] if ended else None,
        out_of_memory=bool(state.get("OOMKilled")),
        address=_address(inspected),
        created_at=moment(inspected["Created"]),
        restarts=inspected.get("RestartCount", 0),
        kept=inspected["HostConfig"]["RestartPolicy"]["Name"] == _KEPT,
        started_at=_started_at(state),
        pid=state.get("Pid", 0),
    )


def _started_at(state: Mapping[str, Any]) -> datetime | None:
    """None where Docker says the year one, of what has never been."""
    started_at = moment(state["StartedAt"]) if state.get("StartedAt") else None
    return started_at if started_at and started_at.year > 1 else None


def _address(inspected: Mapping[str, Any]) -> str:
    networks = (inspected.get("NetworkSettings") or {}).get("Networks") or {}
    addresses = (network.get("IPAddress") for network in networks.values())
    return next((str(address) for address in addresses if address), "")


def image_info(inspected: Mapping[str, Any]) -> ImageInfo:
    """Read an image from what ``GET /images/{reference}/json`` says."""
    config = inspected.get("Config") or {}
    ports = config.get("ExposedPorts") or {}
    return ImageInfo(
        id=ImageDigest(inspected["Id"]),
        labels=dict(config.get("Labels") or {}),
        size_bytes=inspected.get("Size", 0),
        tags=tuple(inspected.get("RepoTags") or ()),
        command=tuple(config.get("Cmd") or ()),
        entrypoint=tuple(config.get("Entrypoint") or ()),
        exposed_ports=tuple(sorted(_tcp_ports(ports))),
        user=config.get("User") or "",
        working_dir=config.get("WorkingDir") or "",
        created_at=moment(inspected["Created"]) if inspected.get("Created") else None,
        triggers=tuple(config.get("OnBuild") or ()),
    )


def _tcp_ports(exposed: Mapping[str, Any]) -> Sequence[int]:
    pairs = (name.partition("/") for name in exposed)
    return [int(number) for number, _, kind in pairs if kind in {"", "tcp"} and number.isdecimal()]


def moment(text: str) -> datetime:
    """Parse Docker's RFC 3339 with nanoseconds, cut to microseconds."""
    whole, dot, rest = text.partition(".")
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    zone = rest[len(digits) :] if dot else ""
    fraction = f".{digits[:6].ljust(6, '0')}" if digits else ""
    return datetime.fromisoformat(f"{whole}{fraction}{zone}")


def split_tag(reference: str) -> tuple[str, str]:
    """``host:5000/name:tag`` → its repository and its tag; ``latest`` where it has none."""
    repository, colon, tag = reference.rpartition(":")
    if not colon or "/" in tag:
        return reference, "latest"
    return repository, tag
