"""Tasks and other containers are read back from their labels."""

import pytest

from pushdeploy.run.schedulers.docker_local.labels import slot_of, specimen_of, state_of, task_of
from pushdeploy.run.schedulers.docker_local.specs import task_spec
from tests.unit.run.schedulers.docker_local.samples import (
    AROUND,
    WEB1,
    WORKER2,
    info_of,
    manifest_of,
    once,
)


def test_a_task_is_read_back_from_what_its_spec_wrote() -> None:
    spec = task_spec(manifest_of(), WORKER2, AROUND)
    task = task_of(info_of(labels=spec.labels, state="running", kept=True), ours=False)
    assert task is not None
    assert (task.app, task.slot, task.version) == ("shop", WORKER2, 17)
    assert (task.port, task.address, task.state) == (8080, "10.208.0.2", "up")


def test_a_one_off_is_no_task() -> None:
    assert task_of(info_of(labels=once("run.1", None).labels), ours=True) is None


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
    info = info_of(labels={}, state=state, exit_code=exit_code, kept=kept)
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
    found = specimen_of(info_of(state="running", labels=OURS))
    assert found is not None
    assert (found.place, found.version, found.is_task) == ("web.1", 17, True)
    one_off = {"pushdeploy.app": "shop", "pushdeploy.dyno": "run.5", "pushdeploy.release": "16"}
    found = specimen_of(info_of(state="running", labels=one_off))
    assert found is not None
    assert (found.place, found.version, found.is_task) == ("run.5", 16, False)
    found = specimen_of(info_of(state="running", labels={"pushdeploy.app": "shop"}))
    assert found is not None
    assert (found.place, found.version, found.is_task) == ("", None, False)
    assert specimen_of(info_of(state="exited", labels=OURS)) is None
    build = {"pushdeploy.app": "shop", "pushdeploy.role": "build"}
    assert specimen_of(info_of(state="running", labels=build)) is None
    rehearsed = task_spec(manifest_of(rehearsal=True), WEB1, AROUND).labels
    assert specimen_of(info_of(state="running", labels=rehearsed)) is None


@pytest.mark.parametrize("version", ["9" * 30, "²", "-1", "one", ""])
def test_specimen_with_a_version_that_no_release_has_is_of_none_regression(version: str) -> None:
    labels = {"pushdeploy.app": "shop", "pushdeploy.release": version}
    found = specimen_of(info_of(state="running", labels=labels))
    assert found is not None
    assert found.version is None
