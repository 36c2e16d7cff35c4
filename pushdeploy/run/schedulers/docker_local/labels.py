"""Pure functions say what container a task or a one-off gets, and read tasks back from labels."""

import re
import secrets
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pushdeploy.domain.capabilities import forges
from pushdeploy.domain.container import ISOLATED, ContainerInfo, ContainerSpec
from pushdeploy.domain.entrypoints import plain_words, through
from pushdeploy.domain.manifest import Manifest
from pushdeploy.domain.names import WEB, AppName, ProcessType
from pushdeploy.domain.one_off import OneOff
from pushdeploy.domain.shell import script, watched
from pushdeploy.domain.task import Slot, Specimen, Task, TaskState
from pushdeploy.run.schedulers.docker_local.accounts import USER

APP = "pushdeploy.app"
RELEASE = "pushdeploy.release"
TYPE = "pushdeploy.type"
INDEX = "pushdeploy.index"
ROLE = "pushdeploy.role"
PORT = "pushdeploy.port"
DYNO = "pushdeploy.dyno"

TASK = "task"
"""The role of a container that fills a slot of the formation."""

ONCE = "once"
"""The role of a one-off container: a release command, ``run``."""

REHEARSAL = "rehearsal"
"""The role of whatever a rehearsal runs: neither a task nor anybody's one-off."""

BUILD = "build"
"""The role of what builds make and remove."""

_RUNNING = frozenset({"running", "paused", "restarting"})
_NUMBER = re.compile(r"[0-9]{1,9}")

ENTRY = "/run/pushdeploy-release"
"""Where a release command's container sees the release hook."""

HOME = "/app"
"""Where a slug of ours has its code, and its user its home."""

_BEGUN = "/tmp/.begun"  # noqa: S108 - inside the container, where only the app is
"""Written when a gated command has begun, for restarts of the same container."""

_SIZE_GATE = """\
n=0
while [ $n -lt 50 ] && command -v stty >/dev/null; do
    case "$(stty size 2>/dev/null)" in '' | '0 0') n=$((n + 1)); sleep 0.01 ;; *) break ;; esac
done
"""
"""A terminal gets its size only when the container runs: a quick command must not come first."""

_SIGNAL_ALL = {"TINI_KILL_PROCESS_GROUP": "1"}
"""Docker's init then hands signals to the shell's children too, not to the shell alone."""


def task_spec(
    manifest: Manifest,
    slot: Slot,
    instance: str,
    entrypoint: Sequence[str] = (),
    accounts: Sequence[tuple[str, str]] = (),
) -> ContainerSpec:
    """The container for ``slot``; its command goes to the image's ``entrypoint``.

    ``accounts`` are mounted over the image's own.
    """
    port = {"PORT": str(manifest.port)} if slot.process_type == WEB else {}
    labels = {
        **_labels(manifest, TASK),
        TYPE: str(slot.process_type),
        INDEX: str(slot.index),
        PORT: str(manifest.port),
    }
    started = _started(manifest.processes[slot.process_type].command, entrypoint)
    return ContainerSpec(
        image=manifest.image,
        name=_name(instance, manifest, str(slot)),
        labels=labels,
        command=started.command,
        entrypoint=started.entrypoint,
        environment=_environment(manifest, str(slot), port),
        user=manifest.user,
        groups=[manifest.group],
        working_dir=HOME if manifest.user else None,
        mounts=_mounts(manifest),
        read_only_mounts=accounts,
        network=_network(manifest),
        alone=_alone(manifest),
        memory_bytes=manifest.limits.memory_bytes,
        cpus=manifest.limits.cpus,
        cpu_shares=manifest.limits.cpu_shares,
        pids=manifest.limits.pids,
        capabilities=manifest.capabilities,
        stop_grace_seconds=manifest.stop_grace_seconds,
    )


def gated(spec: ContainerSpec, *, outlives: bool = False) -> ContainerSpec:
    """The same container, whose command begins when a line comes on its standard input.

    Only the first time: the engine restarts it without anybody there to send a line. When the
    server is killed it ends, unless it ``outlives`` that: then it waits until somebody stops it.
    """
    assert spec.command is not None
    wait = f"[ -e {_BEGUN} ] || {{ read -r go && : >{_BEGUN}; }} || exit 1"
    command = f"{wait}\nexec {shlex.join(spec.command)} </dev/null"
    return replace(spec, command=["/bin/sh", "-c", command], open_stdin=True, stdin_stays=outlives)


def once_spec(
    one_off: OneOff,
    instance: str,
    *,
    terminal: str | None,
    entry: Path | None,
    entrypoint: Sequence[str] = (),
    accounts: Sequence[tuple[str, str]] = (),
) -> ContainerSpec:
    """The container of a one-off; a release command goes through the hook ``entry``.

    The command goes to the image's ``entrypoint``.
    """
    manifest, name = one_off.manifest, one_off.name
    hooked = entry is not None and name.startswith("release.")
    typed = terminal is not None
    command = script(through(entrypoint, one_off.command), terminal=typed)
    text = (_SIZE_GATE if typed else "") + command
    extra = {**({"TERM": terminal} if terminal is not None else {}), **one_off.environment}
    return ContainerSpec(
        image=manifest.image,
        name=_name(instance, manifest, name),
        labels={**_labels(manifest, ONCE), DYNO: name},
        command=watched(["/bin/sh", ENTRY if hooked else "-c", text], terminal=typed),
        entrypoint=[],
        environment=_environment(manifest, name, extra),
        user=manifest.user,
        groups=[manifest.group],
        working_dir=HOME if manifest.user else None,
        mounts=_mounts(manifest),
        read_only_mounts=[*accounts, *([(str(entry), ENTRY)] if hooked else [])],
        network=f"container:{one_off.beside}" if one_off.beside else _network(manifest),
        alone=_alone(manifest),
        memory_bytes=manifest.limits.memory_bytes,
        cpus=manifest.limits.cpus,
        cpu_shares=manifest.limits.cpu_shares,
        pids=manifest.limits.pids,
        capabilities=manifest.capabilities,
        tty=typed,
        open_stdin=True,
        stop_grace_seconds=manifest.stop_grace_seconds,
    )


@dataclass(frozen=True, slots=True)
class _Started:
    """A container is told to start this; None leaves the image's own."""

    command: Sequence[str] | None
    entrypoint: Sequence[str] | None


def _started(command: str, entrypoint: Sequence[str]) -> _Started:
    if not command:
        return _Started(None, None)
    words = plain_words(entrypoint, command)
    if words is not None:
        return _Started(words, None)
    return _Started(["/bin/sh", "-c", script(through(entrypoint, command))], [])


def _labels(manifest: Manifest, role: str) -> dict[str, str]:
    role = REHEARSAL if manifest.rehearsal else role
    return {APP: str(manifest.app), RELEASE: str(manifest.version), ROLE: role}


def _name(instance: str, manifest: Manifest, place: str) -> str:
    """A name that people can read; its end is new each time, so that old and new may coexist."""
    place = f"rehearsal-{place}" if manifest.rehearsal else place
    return f"pushdeploy-{instance}-{manifest.app}-{place}-v{manifest.version}-{_token()}"


def _token() -> str:
    return secrets.token_hex(4)


def _environment(manifest: Manifest, dyno: str, extra: Mapping[str, str]) -> Mapping[str, str]:
    home = {"HOME": HOME, "USER": USER, "LOGNAME": USER} if manifest.user else {}
    return {**home, **_SIGNAL_ALL, **manifest.environment, "DYNO": dyno, **extra}


def _mounts(manifest: Manifest) -> list[tuple[str, str]]:
    return [(mount.source, mount.target) for mount in manifest.mounts]


def _network(manifest: Manifest) -> str | None:
    return ISOLATED if manifest.isolated else None


def _alone(manifest: Manifest) -> str:
    """What can forge frames has a bridge of the app's own: nobody is there to be deceived."""
    return str(manifest.group) if forges(manifest.capabilities) else ""


def is_running_release(info: ContainerInfo) -> bool:
    """Whether it is a release command that has not ended; one of a rehearsal does not count."""
    named = info.labels.get(ROLE) == ONCE and info.labels.get(DYNO, "").startswith("release.")
    return named and info.state == "running"


def slot_of(labels: Mapping[str, str]) -> Slot | None:
    """The slot that a container's labels name; None when it is no task.

    None too where labels are missing: somebody else has started it with some of ours.
    """
    named = [labels.get(name, "") for name in (INDEX, RELEASE, PORT)]
    if labels.get(ROLE) != TASK or APP not in labels or not all(map(_NUMBER.fullmatch, named)):
        return None
    if not ProcessType.fits(labels.get(TYPE, "")):
        return None
    return Slot(ProcessType(labels[TYPE]), int(labels[INDEX]))


def exit_code_of(attributes: Mapping[str, str]) -> int:
    """What the event of a container's end says beside its labels; -1 where it says nothing."""
    code = attributes.get("exitCode", "")
    return int(code) if _NUMBER.fullmatch(code) else -1


def task_of(info: ContainerInfo, *, ours: bool) -> Task | None:
    """``ours`` tells whether the present server has started it, or is just doing so."""
    slot = slot_of(info.labels)
    if slot is None:
        return None
    return Task(
        app=AppName(info.labels[APP]),
        slot=slot,
        version=int(info.labels[RELEASE]),
        container=info.id,
        address=info.address,
        port=int(info.labels[PORT]),
        state=state_of(info, ours=ours),
        created_at=info.created_at,
        exit_code=info.exit_code,
        image=info.image,
        started_at=info.started_at,
        restarts=info.restarts,
    )


def specimen_of(info: ContainerInfo) -> Specimen | None:
    """A running container of an app; None for builds, which run a stack, and for rehearsals."""
    labels = info.labels
    if info.state not in _RUNNING or labels.get(ROLE) in {BUILD, REHEARSAL}:
        return None
    version = labels.get(RELEASE, "")
    slot = slot_of(labels)
    return Specimen(
        app=AppName(labels[APP]),
        container=info.id,
        name=info.name,
        image=info.image,
        place=str(slot) if slot else labels.get(DYNO, ""),
        version=int(version) if _NUMBER.fullmatch(version) else None,
        is_task=slot is not None,
    )


def state_of(info: ContainerInfo, *, ours: bool) -> TaskState:
    """``stopped`` is for good; the engine restarts what is ``crashed`` while it is kept.

    A container that is not kept was never found healthy: when the present server is not about
    to, a killed one was, and nobody will ever finish it.
    """
    if info.state == "restarting":
        return "crashed"
    if info.state in {"running", "paused"} and info.kept:
        return "up"
    if info.kept or not ours:
        return "stopped"
    if info.state in {"exited", "dead", "removing"}:
        return "crashed" if info.exit_code else "stopped"
    return "starting"
