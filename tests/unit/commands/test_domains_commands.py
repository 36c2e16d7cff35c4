"""domains and url: a host belongs to one app, and a bad one changes nothing."""

from pushdeploy.domain.names import AppName, HostName
from tests.unit.commands.machine import SHOP, Machine

BLOG = AppName("blog")


def test_added_hosts_are_routed_and_listed(machine: Machine) -> None:
    machine.live()
    assert machine.type("domains:add shop WWW.example.com example.com.").status == 0
    expected = ["shop.apps.test", "www.example.com", "example.com"]
    assert machine.hosts() == expected
    assert machine.type("domains shop").out.split() == expected
    first = machine.type("domains:list shop --format json").json[0]
    assert first == {"host": "shop.apps.test", "default": True}


def test_removed_hosts_are_routed_no_longer(machine: Machine) -> None:
    machine.live()
    machine.type("domains:add shop a.example.com b.example.com")
    assert machine.type("domains:remove shop a.example.com").status == 0
    assert machine.hosts() == ["shop.apps.test", "b.example.com"]


def test_a_host_of_another_app_is_refused_and_none_is_added(machine: Machine) -> None:
    machine.store.apps.create(BLOG)
    machine.store.domains.add(BLOG, HostName("blog.example.com"))
    machine.live()
    for host in ("blog.example.com", "blog.apps.test"):
        answer = machine.type(f"domains:add shop a.example.com {host}")
        assert answer.status == 1
        assert "blog" in answer.errors
        assert machine.store.domains.of(SHOP) == []


def test_a_host_that_is_there_already_is_no_error(machine: Machine) -> None:
    machine.live()
    machine.type("domains:add shop a.example.com")
    answer = machine.type("domains:add shop a.example.com shop.apps.test a.example.com")
    assert answer.status == 0
    assert machine.store.domains.of(SHOP) == ["a.example.com"]


def test_a_route_that_fails_leaves_the_domains_as_they_were(machine: Machine) -> None:
    machine.live()
    machine.router.refused = {"bad.example.com"}
    assert machine.type("domains:add shop a.example.com bad.example.com").status == 1
    assert machine.store.domains.of(SHOP) == []
    assert machine.hosts() == ["shop.apps.test"]


def test_removing_a_host_that_is_not_there_removes_none(machine: Machine) -> None:
    machine.live()
    machine.type("domains:add shop a.example.com")
    assert machine.type("domains:remove shop a.example.com b.example.com").status == 1
    assert machine.store.domains.of(SHOP) == ["a.example.com"]


def test_url_prints_one_url_and_urls_prints_all(machine: Machine) -> None:
    machine.live()
    machine.type("domains:add shop a.example.com '*.example.org'")
    assert machine.type("url shop").out == "http://shop.apps.test:8080\n"
    assert machine.type("urls shop").out == (
        "http://shop.apps.test:8080\nhttp://a.example.com:8080\n"
    )
