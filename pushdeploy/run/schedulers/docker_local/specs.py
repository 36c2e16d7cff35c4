"""Pure functions say what container a task or a one-off gets."""

import secrets
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pushdeploy.domain.capabilities import forges
from pushdeploy.domain.container import ISOLATED, ContainerSpec
from pushdeploy.domain.entrypoints import plain_words, through
from pushdeploy.domain.manifest import Manifest
from pushdeploy.domain.names import WEB
from pushdeploy.domain.one_off import OneOff
from pushdeploy.domain.shell import script, watched
from pushdeploy.domain.task import Slot
from pushdeploy.run.schedulers.docker_local import labels
from pushdeploy.run.schedulers.docker_local.accounts import USER

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


@dataclass(frozen=True, slots=True)
class Surroundings:
    """All containers of one manifest have this in common.

    Commands go to the image's ``entrypoint``. ``accounts`` are mounted over the image's own.
    """

    instance: str
    entrypoint: Sequence[str] = ()
    accounts: Sequence[tuple[str, str]] = ()


def task_spec(manifest: Manifest, slot: Slot, around: Surroundings) -> ContainerSpec:
    """The container for ``slot``."""
    port = {"PORT": str(manifest.port)} if slot.process_type == WEB else {}
    common = _common(manifest, labels.TASK, str(slot), around)
    own = {
        labels.TYPE: str(slot.process_type),
        labels.INDEX: str(slot.index),
        labels.PORT: str(manifest.port),
    }
    started = _started(manifest.processes[slot.process_type].command, around.entrypoint)
    return replace(
        common,
        labels={**common.labels, **own},
        command=started.command,
        entrypoint=started.entrypoint,
        environment={**common.environment, **port},
    )


def once_spec(
    one_off: OneOff, around: Surroundings, *, terminal: str | None, entry: Path | None
) -> ContainerSpec:
    """The container of a one-off; a release command goes through the hook ``entry``."""
    hook = [(str(entry), ENTRY)] if entry and one_off.name.startswith("release.") else []
    typed = terminal is not None
    command = script(through(around.entrypoint, one_off.command), terminal=typed)
    text = (_SIZE_GATE if typed else "") + command
    extra = {**({"TERM": terminal} if terminal is not None else {}), **one_off.environment}
    common = _common(one_off.manifest, labels.ONCE, one_off.name, around)
    return replace(
        common,
        labels={**common.labels, labels.DYNO: one_off.name},
        command=watched(["/bin/sh", ENTRY if hook else "-c", text], terminal=typed),
        entrypoint=[],
        environment={**common.environment, **extra},
        read_only_mounts=[*around.accounts, *hook],
        network=f"container:{one_off.beside}" if one_off.beside else common.network,
        tty=typed,
        open_stdin=True,
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


def _common(manifest: Manifest, role: str, place: str, around: Surroundings) -> ContainerSpec:
    return ContainerSpec(
        image=manifest.image,
        name=_name(around.instance, manifest, place),
        labels={
            labels.APP: str(manifest.app),
            labels.RELEASE: str(manifest.version),
            labels.ROLE: labels.REHEARSAL if manifest.rehearsal else role,
        },
        environment=_environment(manifest, place),
        user=manifest.user,
        groups=[manifest.group],
        working_dir=HOME if manifest.user else None,
        mounts=[(mount.source, mount.target) for mount in manifest.mounts],
        read_only_mounts=around.accounts,
        network=ISOLATED if manifest.isolated else None,
        alone=_alone(manifest),
        memory_bytes=manifest.limits.memory_bytes,
        cpus=manifest.limits.cpus,
        cpu_shares=manifest.limits.cpu_shares,
        pids=manifest.limits.pids,
        capabilities=manifest.capabilities,
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


def _name(instance: str, manifest: Manifest, place: str) -> str:
    """A name that people can read; its end is new each time, so that old and new may coexist."""
    place = f"rehearsal-{place}" if manifest.rehearsal else place
    return (
        f"pushdeploy-{instance}-{manifest.app}-{place}-v{manifest.version}-{secrets.token_hex(4)}"
    )


def _environment(manifest: Manifest, dyno: str) -> Mapping[str, str]:
    home = {"HOME": HOME, "USER": USER, "LOGNAME": USER} if manifest.user else {}
    return {**home, **_SIGNAL_ALL, **manifest.environment, "DYNO": dyno}


def _alone(manifest: Manifest) -> str:
    """What can forge frames has a bridge of the app's own: nobody is there to be deceived."""
    return str(manifest.group) if forges(manifest.capabilities) else ""
