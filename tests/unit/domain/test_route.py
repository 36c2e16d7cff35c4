"""Which tasks an app's requests go to, and which page is shown where there are none."""

import pytest

from pushdeploy.domain.names import HostName, ProcessType
from pushdeploy.domain.route import Target, held, renamed, route_of, targets_of
from pushdeploy.domain.site import SiteState
from pushdeploy.domain.task import Slot, Task
from tests.unit.samples import BLOG, HOST, SHOP, WEB, app

HOSTS = [HostName("shop.apps.test"), HOST]


def task(process_type: ProcessType = WEB, address: str = "10.0.0.2") -> Task:
    return Task(SHOP, Slot(process_type, 1), 3, "c1", address, 5000, "up", app().created_at)


@pytest.mark.parametrize(
    ("version", "stopped", "put_back", "tasks", "state"),
    [
        (3, False, None, [task()], "serving"),
        (3, False, None, [], "stopped"),
        (3, False, None, [task(ProcessType("worker"))], "stopped"),
        (3, True, None, [task()], "stopped"),
        (None, False, None, [], "empty"),
        (3, False, 7, [task()], "held"),
        (None, True, 7, [], "held"),
    ],
)
def test_what_visitors_meet(
    version: int | None, stopped: bool, put_back: int | None, tasks: list[Task], state: SiteState
) -> None:
    route = route_of(app(stopped=stopped, put_back=put_back), HOSTS, version, tasks)
    assert route.site.state == state
    assert bool(route.targets) == (state == "serving")
    assert (route.app, route.site.hosts, route.version) == (SHOP, HOSTS, version)


def test_only_web_tasks_with_an_address_are_asked_each_once() -> None:
    tasks = [task(address="10.0.0.3"), task(), task(), task(address=""), task(ProcessType("w"))]
    assert targets_of(tasks) == [Target("10.0.0.2", 5000), Target("10.0.0.3", 5000)]


def test_a_held_route_differs_in_nothing_else() -> None:
    route = route_of(app(), HOSTS, 3, [task()])
    assert held(route).is_held
    assert not route.is_held
    assert held(route) == route_of(app(put_back=1), HOSTS, 3, [task()])


def test_what_waits_under_another_name_goes_to_the_same_tasks() -> None:
    route = renamed(route_of(app(), HOSTS, 3, [task()]), BLOG)
    assert (route.app, route.site.hosts) == (BLOG, HOSTS)
    assert route.targets == [Target("10.0.0.2", 5000)]
