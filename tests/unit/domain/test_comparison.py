"""What differs between two stages, from values alone."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushdeploy.domain.comparison import Difference, Side, compare
from pushdeploy.domain.disk import Attachment
from pushdeploy.domain.history import Commit, Divergence
from pushdeploy.domain.names import DiskName, ImageDigest, ProcessType
from pushdeploy.domain.promotion import promoted_from, promotion_of
from pushdeploy.domain.release import Reason, Release
from tests.unit.domain.test_contract import RELEASE
from tests.unit.samples import BLOG, SHOP, WEB, commit, slug

WORKER = ProcessType("worker")


def release(**changes: Any) -> Release:
    return replace(RELEASE, slug=slug(**changes))


def side(live: Release | None = RELEASE, **changes: Any) -> Side:
    given: dict[str, Any] = {"app": SHOP, "config": {}, "disks": (), "scaled": {}, **changes}
    return Side(live=live, **given)


def test_equal_sides_are_the_same_and_have_no_release_command_to_run() -> None:
    found = compare(side(), side(app=BLOG))
    assert found.same
    assert found.same_slug
    assert found.release_command is None


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"config": {"A": "1"}}, "config_source_only"),
        ({"disks": (Attachment(DiskName("data"), "/data"),)}, "disks"),
        ({"scaled": {WORKER: 3}}, "formation"),
        ({"live": release(process_types={WEB: "serve"})}, "processes"),
        ({"live": release(release_command=None)}, "processes"),
        ({"live": release(stack="trixie")}, "builder"),
    ],
)
def test_each_difference_is_found_in_its_place_alone(changes: dict[str, Any], what: str) -> None:
    found = compare(side(**changes), side())
    assert getattr(found, what)
    assert not found.same


def test_differences_show_both_sides() -> None:
    found = compare(side(scaled={WORKER: 3}), side())
    assert found.formation == [Difference("worker", "3", None)]
    changed = compare(side(release(process_types={WEB: "new"})), side())
    assert changed.processes == [
        Difference("web", "new", "serve"),
        Difference("worker", None, "run jobs"),
    ]


def test_another_slug_brings_its_release_command() -> None:
    found = compare(side(release(image=ImageDigest("sha256:" + "9" * 64))), side())
    assert found.release_command == "migrate"
    assert not found.same


def test_target_without_a_release_gets_everything_and_lacks_nothing_by_name() -> None:
    found = compare(side(config={"A": "1"}), side(None))
    assert (found.processes, found.formation, found.builder) == ((), (), ())
    assert found.config_source_only == ["A"]
    assert found.release_command == "migrate"


CONFIGS = st.dictionaries(st.sampled_from("ABCDE"), st.sampled_from(["s3cret1", "s3cret2"]))


@given(CONFIGS, CONFIGS)
def test_every_config_var_is_told_once_by_name_and_no_value_is_shown(
    one: dict[str, str], other: dict[str, str]
) -> None:
    found = compare(side(config=one), side(config=other))
    told = [*found.config_source_only, *found.config_target_only, *found.config_different]
    assert sorted(told) == sorted(
        key for key in one.keys() | other.keys() if one.get(key) != other.get(key)
    )
    assert "s3cret" not in repr(found)


@pytest.mark.parametrize(
    ("ahead", "behind", "complete", "summary"),
    [
        (0, 0, True, ""),
        (2, 0, True, "2 ahead"),
        (0, 1, True, "1 behind"),
        (2, 1, True, "2 ahead, 1 behind"),
        (2, 0, False, "2+ ahead"),
    ],
)
def test_divergence_is_told_in_a_few_words(
    ahead: int, behind: int, complete: bool, summary: str
) -> None:
    one = Commit(commit("x"), RELEASE.created_at, "Ada", "x")
    assert Divergence([one] * ahead, [one] * behind, complete).summary == summary


def test_what_a_release_was_promoted_from_is_read_from_its_description() -> None:
    promoted = replace(RELEASE, app=BLOG, reason=Reason.PROMOTE, description=promotion_of(RELEASE))
    assert promoted_from(promoted) == (SHOP, 17)
    assert promoted_from(replace(promoted, reason=Reason.DEPLOY)) is None
    assert promoted_from(replace(promoted, description="Promote something")) is None
