"""The containers that tasks and one-offs are asked to be, and tasks read back."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pushdeploy.domain.container import ISOLATED, ContainerInfo
from pushdeploy.domain.manifest import Limits, Manifest, Mount, ProcessSpec
from pushdeploy.domain.names import AppName, ImageDigest, ProcessType
from pushdeploy.domain.one_off import OneOff
from pushdeploy.domain.shell import script, watched
from pushdeploy.domain.task import Slot
from pushdeploy.run.schedulers.docker_local.labels import (
    is_running_release,
    once_spec,
    slot_of,
    specimen_of,
    state_of,
    task_of,
    task_spec,
)

WEB1 = Slot(ProcessType("web"), 1)
WORKER2 = Slot(ProcessType("worker"), 2)


def _manifest(**more: Any) -> Manifest:
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


def test_web_gets_its_port_and_runs_through_a_shell_as_the_apps_user() -> None:
    spec = task_spec(_manifest(), WEB1, "abc")
    assert spec.entrypoint == []
    assert spec.command == ["/bin/sh", "-c", script("serve --port $PORT")]
    assert spec.environment == {
        "HOME": "/app",
        "USER": "app",
        "LOGNAME": "app",
        "TINI_KILL_PROCESS_GROUP": "1",
        "A": "1",
        "DYNO": "web.1",
        "PORT": "8080",
    }
    assert (spec.user, spec.groups, spec.capabilities) == ("20001:1000", [20001], ())
    assert (spec.working_dir, spec.mounts) == ("/app", [("/disks/shop/data", "/data")])
    assert (spec.memory_bytes, spec.cpus, spec.pids) == (1024, 0.5, 99)
    assert spec.cpu_shares == 512
    assert (spec.stop_grace_seconds, spec.network, spec.tty) == (12, None, False)


def test_what_is_rehearsed_is_neither_a_task_nor_a_one_off() -> None:
    manifest = _manifest(rehearsal=True, isolated=True)
    web = task_spec(manifest, WEB1, "abc")
    command = once_spec(OneOff(manifest, "migrate", "release.17"), "abc", terminal=None, entry=None)
    assert {web.labels["pushdeploy.role"], command.labels["pushdeploy.role"]} == {"rehearsal"}
    assert {web.network, command.network} == {ISOLATED}
    assert slot_of(web.labels) is None
    assert web.name.startswith("pushdeploy-abc-shop-rehearsal-web.1-v17-")
    assert not is_running_release(_info(state="running", labels=command.labels))


def test_an_empty_command_starts_what_the_image_starts() -> None:
    spec = task_spec(_manifest(), WORKER2, "abc")
    assert (spec.command, spec.entrypoint) == (None, None)
    assert spec.environment["PORT"] == "7000"


def test_an_image_of_somebody_else_keeps_its_user_and_folder() -> None:
    spec = task_spec(_manifest(user=None), WEB1, "abc")
    assert (spec.user, spec.working_dir) == (None, None)
    assert "HOME" not in spec.environment
    assert spec.groups == [20001]


def test_names_are_readable_and_never_the_same_twice() -> None:
    names = {task_spec(_manifest(), WEB1, "abc").name for _ in range(3)}
    assert len(names) == 3
    assert all(name.startswith("pushdeploy-abc-shop-web.1-v17-") for name in names)


def test_a_release_command_goes_through_the_hook_and_others_do_not() -> None:
    hook = Path("/home/hooks/release")
    release = _once("release.17", hook)
    assert release["command"] == watched(["/bin/sh", "/run/pushdeploy-release", script("migrate")])
    assert release["read_only_mounts"] == [("/home/hooks/release", "/run/pushdeploy-release")]
    for plain in (_once("release.17", None), _once("run.1", hook)):
        assert plain["command"] == watched(["/bin/sh", "-c", script("migrate")])
        assert plain["read_only_mounts"] == []


def test_a_one_off_has_a_terminal_where_its_client_has_one() -> None:
    spec = _once("run.1", None, terminal="xterm", environment={"RELEASE_PHASE": "1"})
    assert spec["tty"]
    assert spec["command"][-1].endswith(script("migrate", terminal=True))
    assert spec["open_stdin"]
    assert spec["environment"]["TERM"] == "xterm"
    assert spec["environment"]["RELEASE_PHASE"] == "1"
    assert spec["environment"]["DYNO"] == "run.1"
    assert spec["labels"]["pushdeploy.role"] == "once"
    assert spec["labels"]["pushdeploy.dyno"] == "run.1"


def _once(
    name: str,
    entry: Path | None,
    terminal: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    one_off = OneOff(_manifest(), "migrate", name, environment=environment or {})
    spec = once_spec(one_off, "abc", terminal=terminal, entry=entry)
    return {field: getattr(spec, field) for field in spec.__slots__}


def test_a_task_is_read_back_from_what_its_spec_wrote() -> None:
    spec = task_spec(_manifest(), WORKER2, "abc")
    task = task_of(_info(labels=spec.labels, state="running", kept=True), ours=False)
    assert task is not None
    assert (task.app, task.slot, task.version) == ("shop", WORKER2, 17)
    assert (task.port, task.address, task.state) == (8080, "10.208.0.2", "up")


def test_a_one_off_is_no_task() -> None:
    assert task_of(_info(labels=_once("run.1", None)["labels"]), ours=True) is None


@pytest.mark.parametrize(
    ("state", "exit_code", "kept", "ours", "expected"),
    [
        ("created", None, False, True, "starting"),
        ("running", None, False, True, "starting"),
        ("running", None, True, True, "up"),
        ("running", None, True, False, "up"),
        ("paused", None, True, False, "up"),
        ("restarting", 1, True, True, "crashed"),
        ("exited", 1, False, True, "crashed"),
        ("exited", 0, False, True, "stopped"),
        ("exited", 1, True, True, "stopped"),
        ("running", None, False, False, "stopped"),
        ("created", None, False, False, "stopped"),
        ("exited", 1, False, False, "stopped"),
    ],
)
def test_the_state_says_whether_anything_will_still_happen(
    state: str, exit_code: int | None, kept: bool, ours: bool, expected: str
) -> None:
    info = _info(labels={}, state=state, exit_code=exit_code, kept=kept)
    assert state_of(info, ours=ours) == expected


OURS = {
    "pushdeploy.app": "shop",
    "pushdeploy.release": "17",
    "pushdeploy.role": "task",
    "pushdeploy.type": "web",
    "pushdeploy.index": "1",
    "pushdeploy.port": "5000",
}


@pytest.mark.parametrize("name", sorted(OURS))
@pytest.mark.parametrize("text", [None, "", "no good\n"])
def test_container_with_some_of_our_labels_is_no_task_and_breaks_nothing_regression(
    name: str, text: str | None
) -> None:
    changed = {key: value for key, value in OURS.items() if key != name}
    changed |= {name: text} if text is not None else {}
    assert slot_of(OURS) == WEB1
    if name != "pushdeploy.app" or text is None:
        assert slot_of(changed) is None


def test_specimen_is_any_running_container_of_the_app_but_for_builds() -> None:
    found = specimen_of(_info(state="running", labels=OURS))
    assert found is not None
    assert (found.place, found.version, found.is_task) == ("web.1", 17, True)
    once = {"pushdeploy.app": "shop", "pushdeploy.dyno": "run.5", "pushdeploy.release": "16"}
    found = specimen_of(_info(state="running", labels=once))
    assert found is not None
    assert (found.place, found.version, found.is_task) == ("run.5", 16, False)
    found = specimen_of(_info(state="running", labels={"pushdeploy.app": "shop"}))
    assert found is not None
    assert (found.place, found.version, found.is_task) == ("", None, False)
    assert specimen_of(_info(state="exited", labels=OURS)) is None
    build = {"pushdeploy.app": "shop", "pushdeploy.role": "build"}
    assert specimen_of(_info(state="running", labels=build)) is None
    rehearsed = task_spec(_manifest(rehearsal=True), WEB1, "abc").labels
    assert specimen_of(_info(state="running", labels=rehearsed)) is None


@pytest.mark.parametrize("version", ["9" * 30, "²", "-1", "one", ""])
def test_specimen_with_a_version_that_no_release_has_is_of_none_regression(version: str) -> None:
    labels = {"pushdeploy.app": "shop", "pushdeploy.release": version}
    found = specimen_of(_info(state="running", labels=labels))
    assert found is not None
    assert found.version is None


def _info(**more: Any) -> ContainerInfo:
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
