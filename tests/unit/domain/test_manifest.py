"""From a release and a formation to what a scheduler runs."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushdeploy.domain.app import App
from pushdeploy.domain.manifest import Limits, Manifest, Mount, manifest_of, web_port
from pushdeploy.domain.names import ProcessType
from pushdeploy.domain.settings import AppSettings
from pushdeploy.domain.task import Slot
from tests.unit.domain.test_contract import RELEASE
from tests.unit.samples import SHOP, WEB, slug

WORKER = ProcessType("worker")
APP = App(7, SHOP, datetime(2026, 1, 31, tzinfo=UTC), AppSettings(), {WORKER: 2})


def manifest(app: App = APP, **changes: Any) -> Manifest:
    return manifest_of(app, replace(RELEASE, **changes), [Mount("/disks/x", "/data")], Limits())


def test_manifest_runs_the_formation_of_the_app_with_the_checks_of_the_slug() -> None:
    made = manifest()
    assert made.processes[WEB].command == "serve"
    assert made.processes[WEB].quantity == 2
    assert made.processes[WEB].checks == slug().checks[WEB]
    assert made.processes[WORKER].quantity == 2
    assert made.mounts == (Mount("/disks/x", "/data"),)
    assert made.environment["RELEASE_VERSION"] == "v17"


def test_slug_of_ours_runs_as_the_uid_of_its_app() -> None:
    assert manifest().user == "20007:1000"
    assert manifest().group == 20007


def test_image_of_a_dockerfile_runs_as_it_says_itself() -> None:
    made = manifest(slug=slug(runs_as="image"))
    assert made.user is None
    assert made.group == 20007


def test_slots_are_numbered_from_one_with_web_in_front() -> None:
    api = ProcessType("api")
    types = {WORKER: "w", WEB: "s", api: "a"}
    formation = {WORKER: 2, WEB: 1, api: 1}
    made = manifest(replace(APP, formation=formation), slug=slug(process_types=types))
    assert made.slots() == [Slot(WEB, 1), Slot(api, 1), Slot(WORKER, 1), Slot(WORKER, 2)]
    assert [str(slot) for slot in made.slots()] == ["web.1", "api.1", "worker.1", "worker.2"]


def test_port_is_that_of_the_image_else_that_of_the_config_else_5000() -> None:
    assert manifest(config={"PORT": "3000"}).port == 8000
    assert manifest(slug=slug(port=None), config={"PORT": "3000"}).port == 3000
    assert manifest(slug=slug(port=None)).port == 5000


@pytest.mark.parametrize(
    "text", ["", "0", "65536", "-1", "http", " 80", "8080\n", "٣٠٠٠", "9" * 9999]
)
def test_port_that_is_none_is_not_believed(text: str) -> None:
    assert web_port({"PORT": text}) == 5000


@given(st.text() | st.integers(-10, 70_000).map(str))
def test_port_is_always_one_that_can_be_listened_on(text: str) -> None:
    assert 0 < web_port({"PORT": text}) < 65536


def test_config_values_are_not_in_the_repr() -> None:
    assert "s3cret" not in repr(manifest(config={"KEY": "s3cret"}))
