"""The environment that every app may rely on."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushdeploy.domain.contract import RESERVED, environment
from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.names import DiskName
from pushdeploy.domain.pipeline import PipelineName, Place, StageName
from pushdeploy.domain.release import Reason, Release, ReleaseStatus
from tests.unit.samples import ALICE, DATA, SHOP, slug

MEGABYTE = 1024 * 1024
RELEASE = Release(
    app=SHOP,
    version=17,
    status=ReleaseStatus.PENDING,
    reason=Reason.DEPLOY,
    description="Deploy",
    slug=slug(),
    config={},
    disks=(),
    by=ALICE,
    created_at=datetime(2026, 1, 31, 12, tzinfo=UTC),
)


def test_environment_tells_the_app_which_release_it_is() -> None:
    assert environment(RELEASE, 0, 0) == {
        "APP": "shop",
        "RELEASE_VERSION": "v17",
        "RELEASE_CREATED_AT": "2026-01-31T12:00:00+00:00",
        "SLUG_COMMIT": slug().commit,
        "SLUG_DIGEST": slug().image,
        "GIT_REV": slug().commit,
    }


def test_release_is_told_under_herokus_names_too_where_that_is_wanted() -> None:
    told = environment(replace(RELEASE, config={"HEROKU_APP_NAME": "own"}), 0, 0, heroku_names=True)
    assert {name: text for name, text in told.items() if name.startswith("HEROKU_")} == {
        "HEROKU_APP_NAME": "own",
        "HEROKU_BUILD_COMMIT": slug().commit,
        "HEROKU_RELEASE_CREATED_AT": "2026-01-31T12:00:00+00:00",
        "HEROKU_RELEASE_VERSION": "v17",
        "HEROKU_SLUG_COMMIT": slug().commit,
    }


def test_app_in_a_pipeline_is_told_its_stage_whatever_its_config_says() -> None:
    place = Place(PipelineName("main"), StageName("staging"))
    told = environment(replace(RELEASE, config={"STAGE": "production"}), 0, 0, place)
    assert (told["PIPELINE"], told["STAGE"]) == ("main", "staging")


def test_only_disk_is_the_disk_path() -> None:
    told = environment(replace(RELEASE, disks=(Attachment(DATA, "/data"),)), 0, 0)
    assert (told["DISK_PATH"], told["DISK_PATH_DATA"]) == ("/data", "/data")


def test_several_disks_have_a_path_each_and_none_is_the_disk_path() -> None:
    disks = (Attachment(DATA, "/data"), Attachment(DiskName("user-files"), "/app/files"))
    told = environment(replace(RELEASE, disks=disks), 0, 0)
    assert "DISK_PATH" not in told
    assert (told["DISK_PATH_DATA"], told["DISK_PATH_USER_FILES"]) == ("/data", "/app/files")


@pytest.mark.parametrize(
    ("memory_megabytes", "cpus", "workers"),
    [(128, 0, 1), (512, 0, 2), (4096, 0, 16), (4096, 1, 3), (4096, 0.5, 2), (512, 8, 2)],
)
def test_workers_fit_into_memory_and_cpus(memory_megabytes: int, cpus: float, workers: int) -> None:
    told = environment(RELEASE, memory_megabytes * MEGABYTE, cpus)
    assert told["WEB_CONCURRENCY"] == str(workers)
    assert told["MEMORY_AVAILABLE"] == str(memory_megabytes)


def test_tunables_give_way_to_config_vars() -> None:
    tuned = replace(RELEASE, config={"WEB_CONCURRENCY": "9"})
    assert environment(tuned, 512 * MEGABYTE, 0)["WEB_CONCURRENCY"] == "9"


@given(st.dictionaries(st.sampled_from(sorted(RESERVED)) | st.text(), st.text()))
def test_config_vars_are_all_there_and_never_change_what_the_contract_says(
    config: Mapping[str, str],
) -> None:
    plain = environment(RELEASE, 0, 0)
    told = environment(replace(RELEASE, config=config), 0, 0)
    assert plain.items() <= told.items()
    assert all(told[name] == value for name, value in config.items() if name not in plain)
