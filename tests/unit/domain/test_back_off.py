"""When a name is tried again."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pushdeploy.domain.back_off import PAUSES_SECONDS, fraction_of, next_try

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
NAMES = st.text(min_size=1, max_size=30)
MOMENTS = st.timedeltas(timedelta(days=-400), timedelta(days=400)).map(lambda apart: NOW + apart)


def pause(tries: int) -> float:
    return (next_try("shop.example.com", tries, NOW) - NOW).total_seconds()


def test_pauses_grow_to_a_day_and_stay_there() -> None:
    minutes = {1: 1, 2: 10, 3: 60, 4: 360, 5: 1440, 6: 1440, 50: 1440}
    for tries, usual in minutes.items():
        assert usual <= pause(tries) / 60 <= usual * 1.1, tries


@given(NAMES, st.integers(-3, 10**9))
def test_a_pause_is_the_usual_one_or_up_to_a_tenth_longer(name: str, tries: int) -> None:
    usual = PAUSES_SECONDS[min(max(tries, 1), 5) - 1]
    assert usual <= (next_try(name, tries, NOW) - NOW).total_seconds() <= usual * 1.1


@given(NAMES, st.integers(1, 10), MOMENTS)
def test_the_authoritys_own_word_wins(name: str, tries: int, not_before: datetime) -> None:
    found = next_try(name, tries, NOW, not_before)
    assert found >= not_before
    assert found >= NOW + timedelta(minutes=1)
    assert found <= max(not_before, NOW + timedelta(minutes=1)) + timedelta(minutes=1)


@given(NAMES, NAMES)
def test_each_name_has_a_place_of_its_own_that_stays(one: str, other: str) -> None:
    assert 0 <= fraction_of(one) < 1
    assert (fraction_of(one) == fraction_of(other)) == (one == other)
