"""What runs, held against what the ledger says."""

from dataclasses import replace
from typing import Any

import pytest

from pushdeploy.domain.names import ImageDigest
from pushdeploy.domain.plan import is_foreign
from pushdeploy.domain.task import Slot, Specimen, Task
from pushdeploy.domain.verification import Evidence, disagreements, troubles_of
from tests.unit.domain.test_contract import RELEASE
from tests.unit.samples import BLOG, SHOP, WEB, slug

IMAGE = slug().image
OTHER = ImageDigest("sha256:" + "9" * 64)
WEB1 = Slot(WEB, 1)
HAND = "container hand (c1c1c1c1c1c1)"
OURS = Specimen(SHOP, "c1" * 32, "shop-web", IMAGE, "web.1", 17, True)


def evidence(*running: Specimen, **changes: Any) -> Evidence:
    given: dict[str, Any] = {
        "app": SHOP,
        "live": RELEASE,
        "recorded": {17: IMAGE, 16: OTHER},
        "wanted": (WEB1,),
        **changes,
    }
    return Evidence(running=running, **given)


@pytest.mark.parametrize(
    "found",
    [
        evidence(OURS),
        evidence(OURS, replace(OURS, place="run.1", is_task=False)),
        evidence(OURS, replace(OURS, place="run.1", is_task=False, version=16, image=OTHER)),
        evidence(OURS, replace(OURS, version=16, image=OTHER), shipping=frozenset({16})),
        evidence(shipping=frozenset({16})),
        evidence(OURS, replace(OURS, version=16, image=OTHER), changing=True),
        evidence(changing=True),
        evidence(OURS, promoted=IMAGE),
        evidence(wanted=()),
        evidence(live=None, recorded={}),
    ],
)
def test_what_the_ledger_says_is_no_trouble(found: Evidence) -> None:
    assert troubles_of(found) == []


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (
            evidence(OURS, replace(OURS, image=OTHER, name="hand")),
            f"{HAND} calls itself web.1 of v17 and runs {OTHER[7:19]}; v17 is {IMAGE[7:19]}",
        ),
        (
            evidence(OURS, replace(OURS, place="", version=None, name="hand", image=OTHER)),
            "container hand (c1c1c1c1c1c1) runs 999999999999, and no release says so",
        ),
        (
            evidence(OURS, replace(OURS, version=99, name="hand")),
            "container hand (c1c1c1c1c1c1) calls itself v99, and the ledger has no such release",
        ),
        (
            evidence(OURS, replace(OURS, version=16, image=OTHER, name="old")),
            "container old (c1c1c1c1c1c1) is web.1 of v16, which is not live",
        ),
        (
            evidence(OURS, replace(OURS, image=OTHER, name="hand"), changing=True),
            f"{HAND} calls itself web.1 of v17 and runs {OTHER[7:19]}; v17 is {IMAGE[7:19]}",
        ),
        (evidence(), "web.1 of v17 does not run"),
        (
            evidence(OURS, promoted=OTHER),
            f"v17 is {IMAGE[7:19]}, and was promoted from 999999999999",
        ),
    ],
)
def test_each_trouble_is_told_in_a_line(found: Evidence, line: str) -> None:
    assert troubles_of(found) == [line]


def test_one_commit_with_two_slugs_is_a_disagreement() -> None:
    other = replace(RELEASE, app=BLOG, slug=slug(image=OTHER))
    same = replace(RELEASE, app=BLOG)
    behind = replace(RELEASE, app=BLOG, slug=slug("two"))
    assert disagreements([evidence(), evidence(live=same), evidence(live=None)]) == []
    assert disagreements([evidence(), evidence(live=behind)]) == []
    (line,) = disagreements([evidence(), evidence(live=other)])
    assert "in shop and 999999999999 in blog: it was built twice" in line


@pytest.mark.parametrize(
    ("version", "image", "foreign"), [(17, IMAGE, False), (17, OTHER, True), (16, OTHER, False)]
)
def test_task_of_the_live_release_with_another_image_is_foreign(
    version: int, image: str, foreign: bool
) -> None:
    task = Task(SHOP, WEB1, version, "c1", "", 5000, "up", RELEASE.created_at, image=image)
    assert is_foreign(task, RELEASE) is foreign
    assert not is_foreign(task, None)
