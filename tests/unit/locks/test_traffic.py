"""People are told while requests wait."""

from pushdeploy.domain.names import AppName
from pushdeploy.locks.traffic import TrafficLocks

SHOP = AppName("shop")
BLOG = AppName("blog")


def test_people_are_told_since_when_requests_wait() -> None:
    traffic = TrafficLocks()
    assert traffic.waiting_since(SHOP) is None
    traffic.requests_wait(SHOP)
    assert traffic.waiting_since(SHOP) is not None
    assert traffic.waiting_since(BLOG) is None
    traffic.requests_go_on(SHOP)
    assert traffic.waiting_since(SHOP) is None
