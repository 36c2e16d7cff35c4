"""What every kind of limited disk does, on real file systems: the limit holds, the data stays."""

import os
import stat

import pytest

from pushdeploy.disks import mounts
from pushdeploy.disks.limits import loopfile
from pushdeploy.disks.quota import LEAST_BYTES
from pushdeploy.domain.errors import UserError
from tests.contracts.limited import (
    BLOG,
    DATA,
    MIB,
    SHOP,
    UPLOADS,
    Machine,
    namespace_that_has,
    write_as_app,
)


def test_app_can_fill_its_disk_to_the_limit_and_no_further(machine: Machine) -> None:
    disks = machine.make(32 * MIB)
    written = write_as_app(machine.path / "file", 64 * MIB)
    # btrfs keeps a little back for what it still has to write down
    assert written >= (32 if machine.kind == "loopfile" else 24) * MIB
    assert written <= 36 * MIB

    usage = disks.quota.usage(SHOP.name, DATA)
    assert usage.limit_bytes == 32 * MIB
    assert abs(usage.used_bytes - written) < MIB
    assert usage.free_bytes < 8 * MIB
    assert disks.used_bytes(SHOP.name, DATA) == usage.used_bytes
    assert write_as_app(machine.disks.ensure(SHOP, UPLOADS) / "file", 2 * MIB) == 2 * MIB


def test_disk_with_data_is_limited_with_everything_as_it_was(machine: Machine) -> None:
    disks = machine.make(note="kept")
    path = machine.path
    (path / "below").mkdir(mode=0o750)
    (path / "link").symlink_to("note")
    os.link(path / "note", path / "the same note")
    with (path / "sparse").open("wb") as sparse:
        sparse.truncate(1024**3)
    os.utime(path / "note", (1, 2))

    def seen() -> dict[str, object]:
        found = {each.name: each.lstat() for each in path.iterdir()} | {".": path.stat()}
        return {
            name: (stat.filemode(each.st_mode), each.st_uid, each.st_gid, each.st_mtime_ns)
            for name, each in found.items()
        }

    before = seen()
    disks.quota.set_limit(SHOP.name, DATA, 32 * MIB)
    assert disks.quota.limit_of(SHOP.name, DATA) == 32 * MIB
    assert seen() == before
    assert (path / "note").read_text() == "kept"
    assert (path / "note").stat().st_nlink == 2
    assert disks.list(SHOP.name) == [DATA]
    disks.quota.set_limit(SHOP.name, DATA, None)
    assert disks.quota.limit_of(SHOP.name, DATA) is None
    assert seen() == before
    assert {each.name for each in path.parent.iterdir()} == {"data"}


def test_new_disk_is_empty_and_its_app_may_write(machine: Machine) -> None:
    machine.make(LEAST_BYTES)
    assert list(machine.path.iterdir()) == []
    assert write_as_app(machine.path / "file", 1000) == 1000


def test_grown_disk_keeps_its_data_and_takes_more(machine: Machine) -> None:
    disks = machine.make(LEAST_BYTES, note="kept")
    disks.quota.set_limit(SHOP.name, DATA, 64 * MIB)
    assert (machine.path / "note").read_text() == "kept"
    assert disks.quota.limit_of(SHOP.name, DATA) == 64 * MIB
    assert write_as_app(machine.path / "file", 40 * MIB) == 40 * MIB


def test_disk_in_use_grows_where_the_kernel_lets_us(machine: Machine) -> None:
    disks = machine.make(LEAST_BYTES, note="kept")
    with namespace_that_has(machine.path), (machine.path / "held").open("w") as held:
        if machine.kind == "btrfs" or loopfile.may_grow_mounted():
            disks.quota.set_limit(SHOP.name, DATA, 64 * MIB)
        else:
            with pytest.raises(UserError, match="lacks CAP_SYS_RESOURCE"):
                disks.quota.set_limit(SHOP.name, DATA, 64 * MIB)
        held.write("still open")
    disks.quota.set_limit(SHOP.name, DATA, 64 * MIB)
    assert (machine.path / "held").read_text() == "still open"
    assert write_as_app(machine.path / "file", 40 * MIB) == 40 * MIB


def test_limit_below_what_is_there_is_refused(machine: Machine) -> None:
    disks = machine.make()
    write_as_app(machine.path / "file", 20 * MIB)
    with pytest.raises(UserError, match=r"holds 20\.. MB, more than 16\.0 MB"):
        disks.quota.set_limit(SHOP.name, DATA, LEAST_BYTES)
    assert disks.quota.limit_of(SHOP.name, DATA) is None

    disks.quota.set_limit(SHOP.name, DATA, 64 * MIB)
    with pytest.raises(UserError):
        disks.quota.set_limit(SHOP.name, DATA, LEAST_BYTES)
    assert disks.quota.limit_of(SHOP.name, DATA) == 64 * MIB
    assert (machine.path / "file").stat().st_size == 20 * MIB


def test_limits_that_make_no_sense_are_refused(machine: Machine) -> None:
    disks = machine.make()
    with pytest.raises(UserError, match=r"16\.0 MB at least"):
        disks.quota.set_limit(SHOP.name, DATA, LEAST_BYTES - 1)
    with pytest.raises(UserError, match="shop has no disk uploads"):
        disks.quota.set_limit(SHOP.name, UPLOADS, LEAST_BYTES)
    disks.quota.set_limit(SHOP.name, DATA, None)


def test_limited_disk_is_there_after_a_boot(machine: Machine) -> None:
    machine.make(32 * MIB, note="kept")
    machine.boot()
    assert machine.disks.quota.ensure_all() in ([], [(SHOP.name, DATA)])
    assert machine.disks.quota.ensure_all() == []
    assert (machine.path / "note").read_text() == "kept"
    assert machine.disks.quota.limit_of(SHOP.name, DATA) == 32 * MIB
    assert machine.disks.quota.check() == []


def test_renamed_app_takes_its_limited_disks_along(machine: Machine) -> None:
    disks = machine.make(32 * MIB, note="kept")
    with (machine.path / "log").open("w") as held:
        disks.rename(SHOP.name, BLOG)
        held.write("still the same disk")
    there = disks.path(BLOG, DATA)
    assert (there / "log").read_text() == "still the same disk"
    assert (there / "note").read_text() == "kept"
    disks.quota.set_limit(BLOG, DATA, 64 * MIB)
    assert (disks.list(BLOG), disks.list(SHOP.name)) == ([DATA], [])
    disks.destroy_all(BLOG)
    assert not there.parent.exists()


def test_destroyed_disk_leaves_nothing(machine: Machine) -> None:
    disks = machine.make(32 * MIB, note="gone")
    disks.ensure(SHOP, UPLOADS)
    with (machine.path / "note").open():
        disks.destroy(SHOP.name, DATA)
        assert {each.name for each in machine.path.parent.iterdir()} == {"uploads"}
    disks.quota.set_limit(SHOP.name, UPLOADS, LEAST_BYTES)
    disks.destroy_all(SHOP.name)
    assert list(machine.root.iterdir()) == []
    assert mounts.below(machine.root) == []


def test_full_disk_is_warned_of(machine: Machine) -> None:
    disks = machine.make(32 * MIB)
    write_as_app(machine.path / "file", 28 * MIB)
    [said] = [said for said in disks.quota.check() if "disk data of shop" in said]
    assert "filling up" in said or "nearly full" in said


def test_disk_that_a_container_has_is_not_copied_behind_its_back(machine: Machine) -> None:
    disks = machine.make(note="kept")
    with namespace_that_has(machine.path), pytest.raises(UserError, match="disk data is in use"):
        disks.quota.set_limit(SHOP.name, DATA, 32 * MIB)
    assert disks.quota.limit_of(SHOP.name, DATA) is None
    disks.quota.set_limit(SHOP.name, DATA, 32 * MIB)
    assert (machine.path / "note").read_text() == "kept"
