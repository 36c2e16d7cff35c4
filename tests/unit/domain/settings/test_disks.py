"""What ``disks:set`` makes of what people type, for the app as a whole and for one disk."""

import pytest

from pushdeploy.domain.disk import CutOver
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import DiskName
from pushdeploy.domain.settings.disks import DiskSettings, changed_disks, shown_disks

DATA, CACHE = DiskName("data"), DiskName("cache")
DEFAULT = DiskSettings()


def test_what_is_set_for_the_app_and_for_a_disk_is_shown() -> None:
    settings = changed_disks(DEFAULT, None, ["cutover=overlap"])
    settings = changed_disks(settings, DATA, ["size=2g", "snapshots=off"])
    settings = changed_disks(settings, CACHE, ["snapshots=off"])
    assert settings.cut_over is CutOver.OVERLAP
    assert shown_disks(settings) == {
        "cutover": "overlap",
        "without_snapshots": ["cache", "data"],
        "sizes": {"data": "2g"},
    }


@pytest.mark.parametrize(
    ("disk", "set_", "default"),
    [
        (None, "cutover=exclusive", "cutover="),
        (DATA, "size=1k", "size="),
        (DATA, "snapshots=off", "snapshots="),
        (DATA, "snapshots=off", "snapshots=on"),
    ],
)
def test_the_default_can_be_given_back(disk: DiskName | None, set_: str, default: str) -> None:
    settings = changed_disks(DEFAULT, disk, [set_])
    assert settings != DEFAULT
    assert changed_disks(settings, disk, [default]) == DEFAULT


@pytest.mark.parametrize(
    ("disk", "word", "message"),
    [
        (None, "size=2g", "size is set for one disk: name it first"),
        (DATA, "cutover=overlap", "cutover is set for the app as a whole, without a disk"),
        (DATA, "colour=red", "there is no setting colour"),
        (None, "cutover", "cutover has no value"),
        (None, "cutover=both", "'both' is no cut-over"),
        (DATA, "snapshots=maybe", "'maybe' is neither on nor off"),
        (DATA, "size=big", "'big' is not a size such as 512k, 50m or 2g"),
    ],
)
def test_what_makes_no_sense_is_refused(disk: DiskName | None, word: str, message: str) -> None:
    with pytest.raises(UserError) as refused:
        changed_disks(DEFAULT, disk, [word])
    assert refused.value.message == message
