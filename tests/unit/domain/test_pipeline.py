"""Stages in order, who is upstream of whom, and what an app's name tells."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import AppName
from pushdeploy.domain.pipeline import (
    Member,
    Pipeline,
    PipelineName,
    StageName,
    in_usual_order,
    infer_stage,
)

NAME = PipelineName("main")


def pipeline(**stages: Sequence[str]) -> Pipeline:
    """``staging=["shop-staging"]`` in the order given."""
    return Pipeline(
        NAME,
        tuple(StageName(stage) for stage in stages),
        tuple(Member(AppName(app), StageName(s)) for s, apps in stages.items() for app in apps),
    )


SHOP = pipeline(dev=["a"], qa=[], staging=["b", "c"], production=["d", "e"])


@pytest.mark.parametrize(
    ("app", "downstream", "upstream"),
    [
        ("a", ["b", "c"], []),
        ("b", ["d", "e"], ["a"]),
        ("c", ["d", "e"], ["a"]),
        ("d", [], ["b", "c"]),
    ],
)
def test_neighbours_are_the_apps_of_the_next_stage_that_has_any(
    app: str, downstream: list[str], upstream: list[str]
) -> None:
    assert SHOP.downstream(AppName(app)) == downstream
    assert SHOP.upstream(AppName(app)) == upstream


def test_sources_are_all_but_those_of_the_last_stage() -> None:
    assert SHOP.sources() == ["a", "b", "c"]
    assert pipeline(production=["d", "e"]).sources() == []


def test_stranger_is_told_how_to_join() -> None:
    with pytest.raises(UserError, match="x is not in the pipeline main") as caught:
        SHOP.stage_of(AppName("x"))
    assert caught.value.hint == "pipelines:add main x"


@pytest.mark.parametrize(
    ("app", "stage"),
    [
        ("shop", "production"),
        ("shop-dev", "development"),
        ("shop-qa", "development"),
        ("shop-stg", "staging"),
        ("shop-staging", "staging"),
        ("shop-prod", "production"),
        ("shop-eu", "production"),
        ("staging", "production"),
        ("shop-staging-2", "production"),
    ],
)
def test_suffix_of_a_name_tells_the_stage(app: str, stage: str) -> None:
    assert infer_stage(AppName(app)) == stage


@pytest.mark.parametrize(
    ("stages", "usual"),
    [
        ("staging production", "staging production"),
        ("production staging", "staging production"),
        ("production canary development", "development canary production"),
        ("eu us", "eu us"),
        ("", ""),
    ],
)
def test_usual_order_moves_only_the_stages_that_have_one(stages: str, usual: str) -> None:
    assert in_usual_order([StageName(stage) for stage in stages.split()]) == usual.split()


STAGES = st.lists(
    st.sampled_from(["development", "staging", "production", "canary", "eu"]), unique=True
)


@given(STAGES)
def test_usual_order_has_the_same_stages_and_is_its_own_usual_order(stages: list[str]) -> None:
    ordered = in_usual_order([StageName(stage) for stage in stages])
    assert sorted(ordered) == sorted(stages)
    assert in_usual_order(ordered) == ordered


@given(st.lists(st.lists(st.integers(), max_size=3), max_size=6))
def test_walk_downstream_passes_every_stage_once_and_upstream_leads_back(
    sizes: list[list[int]],
) -> None:
    stages = {
        f"s{place}": [f"s{place}-{number}" for number in range(len(apps))]
        for place, apps in enumerate(sizes)
    }
    made = pipeline(**stages)
    filled = [apps for apps in stages.values() if apps]
    walked = [filled[0]] if filled else []
    while walked and (following := made.downstream(AppName(walked[-1][0]))):
        assert all(made.downstream(AppName(app)) == following for app in walked[-1])
        assert made.upstream(AppName(following[-1])) == walked[-1]
        walked.append(list(following))
    assert walked == filled
