"""Scaling: what a person asked for, and what runs when nobody did."""

from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.formation import MOST_TASKS, parse_scale, quantities
from pushdeploy.domain.names import RELEASE, WEB, ProcessType

WORKER = ProcessType("worker")
CLOCK = ProcessType("clock-1")
TYPES = st.sampled_from([WEB, WORKER, CLOCK])
COUNTS = st.integers(0, MOST_TASKS)


def test_one_web_runs_and_nothing_else_when_nobody_said_anything() -> None:
    assert quantities([WORKER, WEB], {}, {}) == {WORKER: 0, WEB: 1}


def test_what_a_person_scaled_wins_over_app_json_and_that_over_the_default() -> None:
    assert quantities([WEB, WORKER, CLOCK], {WEB: 0}, {WEB: 5, WORKER: 2}) == {
        WEB: 0,
        WORKER: 2,
        CLOCK: 0,
    }


@given(st.sets(TYPES), st.dictionaries(TYPES, COUNTS), st.dictionaries(TYPES, COUNTS))
def test_exactly_the_process_types_of_the_slug_have_a_quantity(
    kinds: set[ProcessType], scaled: Mapping[ProcessType, int], wished: Mapping[ProcessType, int]
) -> None:
    counts = quantities(kinds, scaled, wished)
    assert set(counts) == kinds
    assert all(counts[kind] == scaled[kind] for kind in kinds & scaled.keys())


@given(st.dictionaries(TYPES, COUNTS, min_size=1), st.data())
def test_scaling_there_and_back_changes_nothing(
    current: Mapping[ProcessType, int], data: st.DataObject
) -> None:
    kind = data.draw(st.sampled_from(sorted(current)))
    step = data.draw(st.integers(0, MOST_TASKS - current[kind]))
    assert parse_scale([f"{kind}+{step}"], current) == {kind: current[kind] + step}
    assert parse_scale([f"{kind}+{step}", f"{kind}-{step}"], current) == {kind: current[kind]}


@given(st.dictionaries(TYPES, COUNTS, min_size=1), st.lists(st.text("webworkr=+-0123", max_size=9)))
def test_any_words_give_possible_quantities_of_known_types_or_an_error(
    current: Mapping[ProcessType, int], words: Sequence[str]
) -> None:
    try:
        changed = parse_scale(words, current)
    except UserError:
        return
    assert changed.keys() <= current.keys()
    assert all(0 <= count <= MOST_TASKS for count in changed.values())


def test_later_words_build_on_earlier_ones() -> None:
    assert parse_scale(["web=2", "web+1", "clock-1=3"], {WEB: 1, CLOCK: 0}) == {WEB: 3, CLOCK: 3}


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("web", "is not a scale"),
        ("web=", "is not a scale"),
        ("web=two", "is not a scale"),
        ("web=-1", "is not a scale"),
        ("web=²", "is not a scale"),
        ("web=101", "cannot be scaled to 101"),
        ("web-2", "cannot be scaled to -1"),
        ("web=9999999", "is not a scale"),
        ("job=1", "there is no process type job"),
        ("release=1", "there is no process type release"),
        ("-web=1", "is not a process type"),
    ],
)
def test_scale_that_cannot_be_is_refused(word: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        parse_scale([word], {WEB: 1, RELEASE: 1})
