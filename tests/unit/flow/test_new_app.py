"""A new app is there whole, or not at all."""

import pytest

from pushdeploy.domain.errors import RouteFailed, UserError
from pushdeploy.domain.names import AppName, HostName
from tests.unit.commands.machine import SHOP, Machine

BLOG = AppName("blog")


def test_a_new_app_has_a_repository_and_an_address(machine: Machine) -> None:
    machine.context.flow.new_apps.create(SHOP)
    assert machine.refs.path(SHOP).is_dir()
    assert list(machine.hosts()) == ["shop.apps.test"]


def test_an_app_whose_route_is_refused_leaves_nothing(machine: Machine) -> None:
    machine.router.refused.add("shop.apps.test")
    with pytest.raises(RouteFailed):
        machine.context.flow.new_apps.create(SHOP)
    assert machine.store.apps.find(SHOP) is None
    assert not machine.refs.path(SHOP).exists()
    assert SHOP not in machine.router.table


def test_a_push_makes_an_app_whose_repository_is_its_own_to_make(machine: Machine) -> None:
    assert machine.context.flow.new_apps.for_push(SHOP)
    assert not machine.context.flow.new_apps.for_push(SHOP)
    assert list(machine.hosts()) == ["shop.apps.test"]
    assert not machine.refs.path(SHOP).exists()
    machine.context.flow.new_apps.abandon(SHOP)
    assert machine.store.apps.find(SHOP) is None
    assert SHOP not in machine.router.table


def test_a_push_whose_new_route_is_refused_leaves_nothing(machine: Machine) -> None:
    machine.router.refused.add("shop.apps.test")
    with pytest.raises(RouteFailed):
        machine.context.flow.new_apps.for_push(SHOP)
    assert machine.store.apps.find(SHOP) is None
    assert SHOP not in machine.router.table


def test_an_error_while_it_is_made_takes_the_app_away(machine: Machine) -> None:
    with pytest.raises(ZeroDivisionError), machine.context.flow.new_apps.made(SHOP):
        raise ZeroDivisionError
    assert machine.store.apps.find(SHOP) is None
    assert SHOP not in machine.router.table


def test_an_app_whose_address_is_a_domain_of_another_is_refused(machine: Machine) -> None:
    machine.context.flow.new_apps.create(BLOG)
    machine.store.domains.add(BLOG, HostName("shop.apps.test"))
    with pytest.raises(UserError, match="a domain of blog"):
        machine.context.flow.new_apps.create(SHOP)
    assert machine.store.apps.find(SHOP) is None
