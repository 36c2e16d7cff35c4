"""The rules of an app's front change together with its route, or not at all."""

from dataclasses import replace

import pytest

from pushdeploy.domain.errors import RouteFailed
from pushdeploy.domain.front.maintenance import Maintenance
from pushdeploy.domain.front.rules import FrontRules
from pushdeploy.domain.names import AppName, HostName
from pushdeploy.output import Output, Quiet
from tests.unit.commands.machine import ADA, SHOP, Machine

CLOSED = FrontRules(maintenance=Maintenance())


def close(machine: Machine) -> FrontRules:
    return machine.context.flow.front.change(SHOP, lambda _: CLOSED, Quiet())


def rules(machine: Machine, app: AppName = SHOP) -> FrontRules:
    return machine.router.table[app].site.rules


def test_new_rules_are_stored_and_routed(machine: Machine) -> None:
    machine.live()
    assert close(machine) == CLOSED == machine.store.apps.get(SHOP).front == rules(machine)


def test_rules_that_the_router_refuses_are_taken_back(machine: Machine) -> None:
    machine.live()
    machine.router.refused = {"shop.apps.test"}
    with pytest.raises(RouteFailed):
        close(machine)
    assert machine.store.apps.get(SHOP).front == FrontRules() == rules(machine)


def test_a_release_that_began_before_brings_no_old_rules_back(machine: Machine) -> None:
    machine.live()
    app = machine.store.apps.get(SHOP)
    close(machine)
    machine.store.domains.add(SHOP, HostName("a.example.com"))
    machine.context.flow.converger.traffic.send(app, 1, (), Quiet())
    assert rules(machine) == CLOSED


def test_what_is_held_stays_held_and_the_change_says_that_it_waits(machine: Machine) -> None:
    machine.live()
    said: list[str] = []
    machine.router.table[SHOP] = replace(
        machine.router.table[SHOP], site=replace(machine.router.table[SHOP].site, state="held")
    )
    machine.context.locks.traffic.requests_wait(SHOP)
    machine.context.flow.front.change(SHOP, lambda _: CLOSED, Output(said.append))
    assert machine.router.table[SHOP].is_held
    assert "requests of shop are held" in said[0]


def test_rules_follow_a_rename_and_a_clone_is_open(machine: Machine) -> None:
    machine.live()
    close(machine)
    machine.type("apps:clone shop copy --skip-deploy", by=ADA)
    assert machine.store.apps.get(AppName("copy")).front == FrontRules()
    machine.type("apps:rename shop store")
    assert rules(machine, AppName("store")) == CLOSED
