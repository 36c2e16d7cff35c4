"""What is shipped goes live, or leaves the app as it was; what cannot go live stops nothing."""

from tests.unit.commands.machine import SHOP, WEB, Machine, refused


def test_a_rollback_does_not_overwrite_a_disk_that_was_detached(shop: Machine) -> None:
    shop.type("disks:attach shop cache /cache")
    shop.type("config:set shop A=1")
    shop.type("disks:detach shop cache")
    kept = shop.home / "disks" / "shop" / "cache" / "kept"
    kept.write_text("new")
    ran = shop.scheduler.started
    answer = shop.type("releases:rollback shop v2 --with-disk --force")
    assert "is of disk cache, which is not attached to shop" in answer.errors
    assert kept.read_text() == "new"
    assert shop.scheduler.started == ran


def test_a_restore_tells_why_it_has_the_disks_for_itself(shop: Machine) -> None:
    shop.type("disks:set shop cutover=overlap")
    answer = shop.type("disks:restore shop s1 --force")
    assert "cut-over: exclusive (a restore has the disks for itself)" in answer.out


def test_a_failure_does_not_promise_what_was_not_put_back(shop: Machine) -> None:
    shop.type("disks:attach shop cache /cache")
    shop.type("disks:set shop cache snapshots=off")
    shop.scheduler.broken.add(WEB)
    answer = shop.type("config:set shop A=1")
    assert "the data is as it was before, but for cache, with snapshots=off" in answer.errors


def test_a_disk_that_is_detached_is_not_restored(unsaved: Machine) -> None:
    unsaved.type("disks:snapshot shop")
    unsaved.type("disks:detach shop data")
    answer = unsaved.type("disks:restore shop s1 --force")
    assert refused(answer, "which is not attached to shop", "disks:attach shop data /PATH, first")


def test_what_was_put_back_serves_although_the_next_release_fails(unsettled: Machine) -> None:
    unsettled.type("disks:set shop cutover=overlap")
    unsettled.scheduler.running.clear()
    unsettled.scheduler.exit_code = 1
    unsettled.live(release_command="migrate", key="migrates")
    unsettled.store.apps.set_put_back(SHOP, 1)
    unsettled.scheduler.running.clear()
    answer = unsettled.type("config:set shop A=1")
    assert "goes on serving" in answer.errors
    assert unsettled.places() == ["web.1"]
