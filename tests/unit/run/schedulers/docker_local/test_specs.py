"""The containers that tasks and one-offs get."""

from pathlib import Path

from pushdeploy.domain.container import ISOLATED
from pushdeploy.domain.shell import script, watched
from pushdeploy.run.schedulers.docker_local.labels import is_running_release, slot_of
from pushdeploy.run.schedulers.docker_local.specs import task_spec
from tests.unit.run.schedulers.docker_local.samples import (
    AROUND,
    WEB1,
    WORKER2,
    info_of,
    manifest_of,
    once,
)


def test_web_gets_its_port_and_runs_through_a_shell_as_the_apps_user() -> None:
    spec = task_spec(manifest_of(), WEB1, AROUND)
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
    manifest = manifest_of(rehearsal=True, isolated=True)
    web = task_spec(manifest, WEB1, AROUND)
    command = once("release.17", rehearsal=True, isolated=True)
    assert {web.labels["pushdeploy.role"], command.labels["pushdeploy.role"]} == {"rehearsal"}
    assert {web.network, command.network} == {ISOLATED}
    assert slot_of(web.labels) is None
    assert web.name.startswith("pushdeploy-abc-shop-rehearsal-web.1-v17-")
    assert not is_running_release(info_of(state="running", labels=command.labels))


def test_an_empty_command_starts_what_the_image_starts() -> None:
    spec = task_spec(manifest_of(), WORKER2, AROUND)
    assert (spec.command, spec.entrypoint) == (None, None)
    assert spec.environment["PORT"] == "7000"


def test_an_image_of_somebody_else_keeps_its_user_and_folder() -> None:
    spec = task_spec(manifest_of(user=None), WEB1, AROUND)
    assert (spec.user, spec.working_dir) == (None, None)
    assert "HOME" not in spec.environment
    assert spec.groups == [20001]


def test_names_are_readable_and_never_the_same_twice() -> None:
    names = {task_spec(manifest_of(), WEB1, AROUND).name for _ in range(3)}
    assert len(names) == 3
    assert all(name.startswith("pushdeploy-abc-shop-web.1-v17-") for name in names)


def test_a_release_command_goes_through_the_hook_and_others_do_not() -> None:
    hook = Path("/home/hooks/release")
    release = once("release.17", hook)
    assert release.command == watched(["/bin/sh", "/run/pushdeploy-release", script("migrate")])
    assert release.read_only_mounts == [("/home/hooks/release", "/run/pushdeploy-release")]
    for plain in (once("release.17", None), once("run.1", hook)):
        assert plain.command == watched(["/bin/sh", "-c", script("migrate")])
        assert plain.read_only_mounts == []


def test_a_one_off_has_a_terminal_where_its_client_has_one() -> None:
    spec = once("run.1", None, terminal="xterm", environment={"RELEASE_PHASE": "1"})
    assert spec.tty
    assert spec.command is not None
    assert spec.command[-1].endswith(script("migrate", terminal=True))
    assert spec.open_stdin
    assert spec.environment["TERM"] == "xterm"
    assert spec.environment["RELEASE_PHASE"] == "1"
    assert spec.environment["DYNO"] == "run.1"
    assert spec.labels["pushdeploy.role"] == "once"
    assert spec.labels["pushdeploy.dyno"] == "run.1"
