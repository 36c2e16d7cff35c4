"""An app answers on other host names: on all that were asked for, or on none."""

import pytest

from pushdeploy.domain.errors import RouteFailed, UserError
from pushdeploy.domain.names import HostName
from tests.unit.commands.machine import SHOP, Machine

ONE, TWO, BAD = HostName("one.example.com"), HostName("two.example.com"), HostName("bad.test")


def test_new_hosts_are_routed_and_told_apart_from_known_ones(machine: Machine) -> None:
    machine.context.flow.new_apps.create(SHOP)
    domains = machine.context.flow.domains
    assert list(domains.change(SHOP, [ONE], [])) == [ONE]
    assert list(domains.change(SHOP, [ONE, TWO], [])) == [TWO]
    assert list(machine.hosts()) == ["shop.apps.test", ONE, TWO]


def test_nothing_is_changed_where_the_router_refuses_a_host(machine: Machine) -> None:
    machine.context.flow.new_apps.create(SHOP)
    machine.context.flow.domains.change(SHOP, [ONE], [])
    machine.router.refused.add(BAD)
    with pytest.raises(RouteFailed):
        machine.context.flow.domains.change(SHOP, [TWO, BAD], [ONE])
    assert list(machine.store.domains.of(SHOP)) == [ONE]
    assert all({"shop.apps.test", ONE} <= set(each) for each in machine.router.ever_shown[-2:])
    assert set(machine.router.shown) == {"shop.apps.test", ONE}
    machine.context.flow.domains.change(SHOP, [TWO], [ONE])
    assert set(machine.router.shown) == {"shop.apps.test", TWO}


def test_nothing_is_changed_where_the_app_has_no_such_host(machine: Machine) -> None:
    machine.context.flow.new_apps.create(SHOP)
    with pytest.raises(UserError):
        machine.context.flow.domains.change(SHOP, [ONE], [TWO])
    assert list(machine.store.domains.of(SHOP)) == []
