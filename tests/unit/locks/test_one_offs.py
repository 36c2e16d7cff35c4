"""One-off commands are seen while they run."""

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.names import AppName
from pushdeploy.locks.one_offs import OneOffs, RunningOneOff

SHOP = AppName("shop")
BLOG = AppName("blog")


def test_a_one_off_command_is_seen_while_it_runs_and_can_be_ended_by_its_name() -> None:
    one_offs, one = OneOffs(), RunningOneOff(SHOP, "run.1", 7, Cancellation())
    with one_offs.running(one):
        assert list(one_offs.of(SHOP)) == [one]
        assert not one_offs.of(BLOG)
        assert not one_offs.cancel(SHOP, "run.2", "bob stopped it")
        assert not one_offs.cancel(BLOG, "run.1", "bob stopped it")
        assert one_offs.cancel(SHOP, "run.1", "bob stopped it")
    assert one.cancellation.cancelled
    assert not one_offs.of(SHOP)
    assert not one_offs.cancel(SHOP, "run.1", "bob stopped it")
