"""apps: made, shown, set, renamed, destroyed; what fails leaves things as they were."""

from pathlib import Path

import pytest

from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.errors import BackendDown, RenamedApp
from pushdeploy.domain.names import AppName, HostName
from pushdeploy.domain.settings import AppSettings
from pushdeploy.pushes import Pushes
from pushdeploy.receive.pushed_apps import PushedApps
from tests.memory import MemoryRouter
from tests.unit.commands.machine import SHOP, WEB, Client, Machine

STORE = AppName("store")


class DeadRouter(MemoryRouter):
    """Routes cannot be removed."""

    def remove(self, app: AppName) -> None:
        raise BackendDown("nginx does not answer")


def test_a_created_app_is_listed_and_answers_on_its_default_host(machine: Machine) -> None:
    assert machine.type("apps:create shop").status == 0
    assert machine.hosts() == ["shop.apps.test"]
    assert machine.type("apps:list").out == "shop\n"


def test_a_created_app_is_not_taken_away_by_a_failed_first_push(machine: Machine) -> None:
    machine.type("apps:create shop")
    pushed_apps = PushedApps(machine.refs, Pushes(machine.context))
    for app in (SHOP, STORE):
        with pushed_apps.pushing(app):
            assert machine.store.apps.find(app) is not None
    assert [app.name for app in machine.store.apps.list()] == [SHOP]
    assert machine.refs.exists(SHOP)
    assert not machine.refs.exists(STORE)
    assert machine.hosts() == ["shop.apps.test"]


@pytest.mark.parametrize("name", ["Shop", "shop_1", "-shop", "a" * 31, "shop/../x"])
def test_a_name_that_is_no_dns_label_is_refused(machine: Machine, name: str) -> None:
    answer = machine.type(f"apps:create -- {name}")
    assert answer.status == 1
    assert "is not an app name" in answer.errors


def test_an_app_cannot_take_a_host_that_is_anothers_domain(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    machine.store.domains.add(SHOP, HostName("store.apps.test"))
    machine.live()
    for line in ("apps:create store", "apps:rename shop store"):
        answer = machine.type(line)
        assert answer.status == 1
        assert "store.apps.test is a domain of shop" in answer.errors


def test_an_app_whose_route_cannot_be_made_is_not_created(machine: Machine) -> None:
    machine.router.refused = {"shop.apps.test"}
    assert machine.type("apps:create shop").status == 1
    assert machine.store.apps.find(SHOP) is None
    assert not machine.refs.exists(SHOP)


def test_a_pipe_gets_names_and_a_terminal_a_table(machine: Machine) -> None:
    machine.live()
    assert machine.type("apps").out == "shop\n"
    table = machine.type("apps", terminal="xterm").out
    assert "\x1b[1mname" in table
    assert "v1" in table
    assert "\x1b" not in machine.type("apps", terminal="dumb").out


def test_rows_of_json_have_stable_keys_and_times_with_their_offset(machine: Machine) -> None:
    machine.live()
    (row,) = machine.type("apps:list --format json").json
    assert row["name"] == "shop"
    assert row["version"] == 1
    assert row["url"] == "http://shop.apps.test:8080"
    assert row["created_at"].endswith("+00:00")


def test_exists_answers_by_its_exit_code_alone(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    assert machine.type("apps:exists shop").status == 0
    assert machine.type("apps:exists shop").out == ""
    assert machine.type("apps:exists blog").status == 20


def test_info_shows_what_runs_and_no_config_value(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    machine.store.config.replace(SHOP, {"TOKEN": "s3cret"})
    machine.live()
    answer = machine.type("apps:info shop --format json")
    assert answer.json["processes"] == {"web": 1, "worker": 0}
    assert answer.json["config_keys"] == ["TOKEN"]
    assert "s3cret" not in answer.out + machine.type("apps:info shop").out


def test_settings_are_set_in_the_units_that_people_write(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    answer = machine.type(
        "apps:set shop body-limit=50m release-timeout=2h stop-grace=90 deploy-branch=trunk"
    )
    assert answer.status == 0
    settings = machine.store.apps.get(SHOP).settings
    assert settings.front.body_limit_bytes == 50 * 1024**2
    assert settings.deploy.release_timeout_seconds == 7200
    assert settings.run.stop_grace_seconds == 90
    assert settings.deploy.deploy_branch == "trunk"
    assert machine.router.table[SHOP].site.settings.body_limit_bytes == 50 * 1024**2


def test_what_is_shown_of_the_settings_can_be_typed_again(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    machine.type("apps:set shop drain=90s body-limit=1536k boot-timeout=5m heroku-names=on")
    shown = machine.type("apps:set shop --format json").json
    assert (shown["drain"], shown["heroku-names"]) == ("90s", "on")
    before = machine.store.apps.get(SHOP).settings
    machine.store.apps.set_settings(SHOP, AppSettings())
    machine.type("apps:set shop " + " ".join(f"{key}={value}" for key, value in shown.items()))
    assert machine.store.apps.get(SHOP).settings == before


@pytest.mark.parametrize("branch", ["-x", "a..b", "a b", "x.lock", "/x", "a//b"])
def test_a_deploy_branch_that_git_would_not_have_is_refused(machine: Machine, branch: str) -> None:
    machine.store.apps.create(SHOP)
    assert machine.type(f"apps:set shop 'deploy-branch={branch}'").status == 1


def test_destroy_without_a_terminal_wants_the_name_once_more(machine: Machine) -> None:
    machine.live()
    answer = machine.type("apps:destroy shop", b"shop\n")
    assert answer.status == 1
    assert "apps:destroy shop --confirm shop" in answer.errors
    assert machine.type("apps:destroy shop --confirm shopp").status == 1
    assert machine.places() == ["web.1"]


def test_destroy_on_a_terminal_asks_for_the_name(machine: Machine) -> None:
    machine.live()
    refused = machine.type("apps:destroy shop", b"shpo\r", terminal="xterm")
    assert refused.status == 1
    assert machine.type("apps:destroy shop", b"shpo\x7f\x7fop\r", terminal="xterm").status == 0
    assert machine.store.apps.find(SHOP) is None


def test_ctrl_c_at_the_question_destroys_nothing(machine: Machine) -> None:
    machine.live()
    assert machine.type("apps:destroy shop", b"sho\x03", terminal="xterm").status == 130
    assert machine.store.apps.find(SHOP)


def test_destroy_removes_all_but_the_data_on_the_disks(machine: Machine) -> None:
    app = machine.store.apps.create(SHOP)
    machine.store.disks.replace(SHOP, [Attachment.parse("data", "/data")])
    machine.live()
    machine.context.back_ends.repositories.ensure(SHOP)
    answer = machine.type("apps:destroy shop --force")
    assert answer.status == 0
    assert machine.scheduler.tasks(app.name) == []
    assert SHOP not in machine.router.table
    assert list((machine.home / "repositories").iterdir()) == []
    kept = machine.home / "disks" / "shop" / "data"
    assert kept.is_dir()
    assert str(kept) in answer.out


def test_destroy_deletes_the_data_too_when_told_so(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    machine.store.disks.replace(SHOP, [Attachment.parse("data", "/data")])
    machine.live()
    assert machine.type("apps:destroy shop --force --delete-disks").status == 0
    assert not (machine.home / "disks" / "shop").exists()


def test_a_destroy_that_cannot_reach_the_router_leaves_the_app(tmp_path: Path) -> None:
    (tmp_path / "repositories").mkdir()
    machine = Machine(tmp_path, router=DeadRouter())
    machine.live()
    assert machine.type("apps:destroy shop --force").status == 69
    assert not machine.store.apps.get(SHOP).stopped
    assert machine.places(SHOP) == ["web.1"]
    machine.store.close()


def test_a_renamed_app_takes_everything_along(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    machine.store.disks.replace(SHOP, [Attachment.parse("data", "/data")])
    machine.store.domains.add(SHOP, HostName("www.example.com"))
    machine.live()
    (machine.home / "disks" / "shop" / "data" / "kept").touch()
    machine.context.back_ends.repositories.ensure(SHOP)
    answer = machine.type("apps:rename shop store")
    assert answer.status == 0
    assert "http://store.apps.test:8080" in answer.out
    assert machine.places(STORE) == ["web.1"]
    assert machine.places(SHOP) == []
    assert machine.hosts(STORE) == ["store.apps.test", "www.example.com"]
    assert SHOP not in machine.router.table
    assert (machine.home / "disks" / "store" / "data" / "kept").exists()
    assert (machine.home / "repositories" / "store.git").is_dir()


def test_a_rename_that_fails_leaves_the_old_name_working(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    machine.store.disks.replace(SHOP, [Attachment.parse("data", "/data")])
    machine.live()
    machine.type("disks:set shop cutover=overlap")
    machine.context.back_ends.repositories.ensure(SHOP)
    machine.scheduler.broken = {WEB}
    answer = machine.type("apps:rename shop store")
    assert answer.status == 1
    assert machine.store.apps.find(STORE) is None
    assert machine.places(SHOP) == ["web.1"]
    assert machine.hosts(SHOP) == ["shop.apps.test"]
    assert STORE not in machine.router.table
    assert (machine.home / "disks" / "shop" / "data").is_dir()
    assert (machine.home / "repositories" / "shop.git").is_dir()


def test_a_former_name_leads_to_the_present_one_until_another_takes_it(machine: Machine) -> None:
    machine.type("apps:create shop")
    machine.type("apps:rename shop store")
    machine.type("apps:rename store market")
    for line in ("ps shop", "ps -a store"):
        answer = machine.type(line)
        assert (answer.status, "is called market now" in answer.errors) == (20, True)
    pushes = Pushes(machine.context)
    with pytest.raises(RenamedApp, match="shop is called market now"):
        pushes.open(SHOP)
    assert str(pushes.missing(SHOP)) == "app shop is called market now"
    assert machine.type("apps:create shop").status == 0
    assert pushes.open(SHOP) == ()
    machine.type("apps:destroy market --force")
    assert "market" not in machine.type("ps store").errors


def test_an_app_that_gets_its_former_name_back_has_no_other(machine: Machine) -> None:
    machine.type("apps:create shop")
    machine.type("apps:rename shop store")
    assert machine.type("apps:rename store shop").status == 0
    assert machine.store.apps.renamed(SHOP) is None
    assert machine.store.apps.renamed(STORE) == SHOP


def test_a_rename_that_fails_has_never_been(machine: Machine) -> None:
    machine.live()
    machine.scheduler.broken = {WEB}
    assert machine.type("apps:rename shop store").status == 1
    assert machine.store.apps.renamed(STORE) is None
    assert machine.store.apps.renamed(SHOP) is None


def test_a_push_that_makes_an_app_names_one_that_may_be_meant(machine: Machine) -> None:
    machine.type("apps:create store")
    said = Pushes(machine.context).open(AppName("stores"))
    assert said[0] == "-----> Made app stores"
    assert "git remote set-url deploy deploy:store" in said[1]
    assert Pushes(machine.context).open(AppName("blog")) == ["-----> Made app blog"]


def test_a_rename_whose_route_fails_leaves_nothing_of_the_new_name(machine: Machine) -> None:
    machine.live()
    machine.router.refused = {"store.apps.test"}
    assert machine.type("apps:rename shop store").status == 1
    assert machine.scheduler.started == 2
    assert machine.places(STORE) == []
    assert machine.places(SHOP) == ["web.1"]


def test_an_app_cannot_be_renamed_to_one_that_exists(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    machine.store.apps.create(STORE)
    assert machine.type("apps:rename shop store").status == 1


def test_a_question_is_echoed_for_no_driver_does_it(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    client = Client(b"shop\r", "xterm")
    machine.type_as(client, "apps:destroy shop")
    assert b"destroy it: shop\n" in client.out
