"""When an automatic certificate is renewed."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pushdeploy.domain.renewal import renewal_moment, runs_out

BEGINS = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
LIFETIMES = st.timedeltas(timedelta(minutes=5), timedelta(days=3000))


def test_ninety_days_are_renewed_in_the_last_thirty() -> None:
    moment = renewal_moment("shop.example.com", BEGINS, BEGINS + timedelta(days=90))
    assert timedelta(days=57) <= moment - BEGINS <= timedelta(days=60)


@given(st.text(), LIFETIMES, st.none() | st.timedeltas(timedelta(-10), timedelta(4000)))
def test_a_renewal_has_time_to_be_tried_again(
    name: str, lifetime: timedelta, suggested: timedelta | None
) -> None:
    wanted = None if suggested is None else BEGINS + suggested
    moment = renewal_moment(name, BEGINS, BEGINS + lifetime, wanted)
    assert moment <= BEGINS + lifetime * 0.9 + timedelta(seconds=1)
    if wanted is None:
        assert moment >= BEGINS + lifetime * 0.6
    else:
        assert moment == min(wanted, BEGINS + lifetime - lifetime / 10)


@given(LIFETIMES)
def test_nobody_is_warned_before_a_renewal_has_failed_for_a_while(lifetime: timedelta) -> None:
    end = BEGINS + lifetime
    assert not runs_out(BEGINS, end, renewal_moment("shop", BEGINS, end))
    assert runs_out(BEGINS, end, end)
    assert runs_out(BEGINS, end, end - min(timedelta(days=14), lifetime / 6))
