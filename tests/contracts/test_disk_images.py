"""What only a disk that is an image on a loop device does."""

import os
import secrets
import shutil
import subprocess

import pytest

from pushdeploy.disks import mounts
from pushdeploy.disks.conversion import is_sealed, unseal
from pushdeploy.disks.limits import loopfile
from pushdeploy.disks.quota import LEAST_BYTES
from pushdeploy.domain.app import App
from pushdeploy.domain.container import ContainerSpec
from pushdeploy.domain.errors import BackendDown, UserError
from pushdeploy.domain.names import AppName
from pushdeploy.domain.settings import AppSettings
from pushdeploy.engine.docker import DockerEngine
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


def test_server_that_is_down_after_a_boot_keeps_apps_from_writing_below_the_disk(
    loop: Machine,
) -> None:
    loop.make(LEAST_BYTES, note="kept")
    loop.boot()
    assert is_sealed(loop.path)
    with pytest.raises(PermissionError):
        (loop.path / "lost").touch()
    assert loop.disks.list(SHOP.name) == [DATA]

    assert loop.disks.quota.check() == ["disk data of shop is not mounted"]
    assert loop.disks.ensure(SHOP, DATA) == loop.path
    assert (loop.path / "note").read_text() == "kept"


def test_files_in_the_way_of_a_mount_are_refused_and_stay(loop: Machine) -> None:
    loop.make(LEAST_BYTES)
    loop.boot()
    unseal(loop.path)
    (loop.path / "restored by hand").touch()
    with pytest.raises(BackendDown, match="there are files in"):
        loop.disks.ensure(SHOP, DATA)
    assert loop.disks.quota.ensure_all() == []
    assert (loop.path / "restored by hand").exists()


def test_disk_is_mounted_again_from_the_device_that_a_container_still_has(loop: Machine) -> None:
    loop.make(LEAST_BYTES)
    before = mounts.mounted_at(loop.path)
    with namespace_that_has(loop.path):
        loop.boot()
        assert loop.disks.quota.ensure_all() == [(SHOP.name, DATA)]
        assert mounts.mounted_at(loop.path) == before
        with pytest.raises(UserError, match="in use"):
            loop.disks.quota.set_limit(SHOP.name, DATA, None)


@pytest.mark.parametrize("size_bytes", [16, 100, 255, 256, 1000, 4096, 5000, 10_240, 100_000])
def test_all_of_the_size_can_be_used(loop: Machine, size_bytes: int) -> None:
    loop.make(size_bytes * MIB)
    seen = os.statvfs(loop.path)
    usable = seen.f_bavail * seen.f_frsize
    assert size_bytes * MIB <= usable < size_bytes * MIB * 1.02 + 8 * MIB
    assert loop.image.stat().st_blocks * 512 < 100 * MIB


def test_disk_grows_a_thousandfold(loop: Machine) -> None:
    disks = loop.make(LEAST_BYTES)
    disks.quota.set_limit(SHOP.name, DATA, LEAST_BYTES * 1000)
    assert os.statvfs(loop.path).f_bavail * 4096 >= LEAST_BYTES * 1000


def test_growth_cut_short_is_done_again(loop: Machine) -> None:
    disks = loop.make(LEAST_BYTES)
    os.truncate(loop.image, 200 * MIB)
    loop.boot()
    disks.quota.set_limit(SHOP.name, DATA, 64 * MIB)
    assert os.statvfs(loop.path).f_bavail * 4096 >= 64 * MIB


def test_deleted_files_give_their_room_back_to_the_server(loop: Machine) -> None:
    loop.make(64 * MIB)
    write_as_app(loop.path / "file", 40 * MIB)
    loop.boot()
    loop.disks.ensure(SHOP, DATA)
    assert loop.image.stat().st_blocks * 512 > 40 * MIB
    (loop.path / "file").unlink()
    subprocess.run(["sync", "--file-system", loop.path], check=True)
    loop.boot()
    assert loop.image.stat().st_blocks * 512 < 10 * MIB


def test_more_promised_than_there_is_is_told(loop: Machine) -> None:
    disks = loop.make(shutil.disk_usage(loop.root.parent).free * 2)
    [said] = disks.quota.check()
    assert "may grow by" in said


def test_disks_of_many_apps_are_mounted_at_once(loop: Machine) -> None:
    apps = [AppName(f"app-{number}") for number in range(12)]
    disks = loop.disks
    for number, app in enumerate(apps):
        disks.ensure(App(number, app, SHOP.created_at, AppSettings(), {}), DATA)
        disks.quota.set_limit(app, DATA, LEAST_BYTES)
    for point in mounts.below(loop.root):
        subprocess.run(["umount", point], check=True)
    assert sorted(loop.disks.quota.ensure_all()) == sorted((app, DATA) for app in apps)
    devices = {mounts.containing(disks.path(app, DATA)).device for app in apps}
    assert len(devices) == len(apps)


def test_one_broken_disk_does_not_keep_the_others_from_being_mounted(loop: Machine) -> None:
    disks = loop.make()
    disks.ensure(SHOP, UPLOADS)
    disks.quota.set_limit(SHOP.name, UPLOADS, LEAST_BYTES)
    loop.boot()
    loop.image.write_bytes(b"no file system")
    assert loop.disks.quota.ensure_all() == [(SHOP.name, UPLOADS)]
    with pytest.raises(BackendDown, match="cannot be used"):
        loop.disks.ensure(SHOP, DATA)


@pytest.mark.docker
def test_container_writes_to_its_limited_disk_until_it_is_full(
    loop: Machine, engine: DockerEngine, tiny_image: str
) -> None:
    disks = loop.make(LEAST_BYTES, note="kept")
    wait = "until [ -e /data/go ]; do sleep 0.1; done"
    script = f"echo $(cat /data/note); {wait}; yes >/data/full || exit 7"
    container = engine.create(
        ContainerSpec(
            image=tiny_image,
            name=f"limited-{secrets.token_hex(6)}",
            labels={},
            command=["/bin/sh", "-c", script],
            entrypoint=[],
            user=f"{SHOP.uid}:{SHOP.uid}",
            mounts=[(str(disks.ensure(SHOP, DATA)), "/data")],
        )
    )
    engine.start(container)
    with pytest.raises(UserError, match="in use"):
        disks.quota.set_limit(SHOP.name, DATA, None)
    if loopfile.may_grow_mounted():
        disks.quota.set_limit(SHOP.name, DATA, 32 * MIB)
    disks.rename(SHOP.name, BLOG)
    (disks.path(BLOG, DATA) / "go").touch()

    assert engine.wait(container) == 7
    with engine.logs(container) as lines:
        said = [line.text for line in lines]
    assert said[0] == "kept"
    assert "No space left on device" in said[-1]
    assert (disks.path(BLOG, DATA) / "full").stat().st_size >= 15 * MIB
    assert disks.quota.usage(BLOG, DATA).free_bytes == 0
    engine.remove(container)
    disks.quota.set_limit(BLOG, DATA, None)
