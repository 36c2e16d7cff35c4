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


def test_what_nobody_may_have_is_refused_and_nothing_is_added(machine: Machine) -> None:
    machine.live()
    machine.store.apps.create(BLOG)
    for host in ("*.apps.test", "apps.test", "*.test", "*.com", "10.0.0.1", "0x7f.1", "::1"):
        answer = machine.type(f"domains:add shop a.example.com {host}")
        assert answer.status == 1, host
    for host in ("future.apps.test", "x.blog.apps.test", "*.blog.apps.test"):
        answer = machine.type(f"domains:add shop a.example.com {host}")
        assert (answer.status, "belongs to the app" in answer.errors) == (1, True)
    assert machine.store.domains.of(SHOP) == []
    assert machine.type("domains:add shop x.shop.apps.test").status == 0


def test_a_name_in_other_letters_is_one_host_in_both_forms(machine: Machine) -> None:
    machine.live()
    answer = machine.type("domains:add shop Bücher.example XN--BCHER-KVA.example.")
    assert answer.out == "shop answers on xn--bcher-kva.example (bücher.example)\n"
    assert machine.hosts() == ["shop.apps.test", "xn--bcher-kva.example"]
    assert machine.type("domains:remove shop bücher.example").status == 0
    assert machine.hosts() == ["shop.apps.test"]


def test_what_an_older_server_has_let_in_is_served_and_can_be_removed(machine: Machine) -> None:
    old = ["*.apps.test", "x.future.apps.test", "www.example.256"]
    machine.store.apps.create(SHOP)
    for host in old:
        machine.store.domains.add(SHOP, HostName(host))
    machine.live()
    assert machine.hosts() == ["shop.apps.test", *old]
    assert machine.type("domains:add shop *.apps.test").status == 0, "it is there already"
    assert machine.type("apps:create blog").status == 0
    taken = machine.type("apps:create future")
    assert (taken.status, "domains:remove shop x.future.apps.test" in taken.errors) == (1, True)
    assert machine.type("apps:rename blog future").status == 1
    assert machine.type(f"domains:remove shop {' '.join(old)}").status == 0
    assert machine.type("apps:rename blog future").status == 0


def test_a_leading_dot_is_the_domain_and_all_below_it(machine: Machine) -> None:
    machine.live()
    assert machine.type("domains:add shop .example.com").status == 0
    assert machine.hosts() == ["shop.apps.test", "example.com", "*.example.com"]
    assert machine.type("domains:remove shop .example.com").status == 0
    assert machine.hosts() == ["shop.apps.test"]


def test_set_replaces_all_hosts_and_clear_takes_them(machine: Machine) -> None:
    machine.live()
    machine.type("domains:add shop a.example.com b.example.com")
    answer = machine.type("domains:set shop b.example.com c.example.com c.example.com")
    assert answer.status == 0
    assert "shop answers on a.example.com no longer" in answer.out
    assert machine.hosts() == ["shop.apps.test", "b.example.com", "c.example.com"]
    assert machine.type("domains:clear shop").status == 0
    assert machine.hosts() == ["shop.apps.test"]


def test_a_set_that_fails_leaves_the_domains_as_they_were(machine: Machine) -> None:
    machine.store.apps.create(BLOG)
    machine.store.domains.add(BLOG, HostName("blog.example.com"))
    machine.live()
    machine.type("domains:add shop a.example.com b.example.com")
    machine.router.refused = {"bad.example.com"}
    for host in ("bad.example.com", "blog.example.com", "no_host"):
        assert machine.type(f"domains:set shop c.example.com {host}").status == 1
        assert set(machine.store.domains.of(SHOP)) == {"a.example.com", "b.example.com"}
    assert machine.hosts() == ["shop.apps.test", "a.example.com", "b.example.com"]
