from pushdeploy.domain.names import AppName
from pushdeploy.flow.outages import Outages

SHOP = AppName("shop")


def test_requests_wait_at_the_beginning_of_an_outage_and_of_the_next() -> None:
    outages = Outages(3600)
    assert outages.bearable(SHOP)
    assert outages.bearable(SHOP)
    outages.over(SHOP)
    assert outages.bearable(SHOP)


def test_requests_do_not_wait_for_ever() -> None:
    outages = Outages(0)
    assert not outages.bearable(SHOP)
    outages.over(SHOP)
    assert not outages.bearable(SHOP)
