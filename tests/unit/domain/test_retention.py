"""What stays and what goes: never what a live release, a container or the last releases need."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushdeploy.domain.names import AppName, ImageDigest
from pushdeploy.domain.release import ReleaseStatus
from pushdeploy.domain.retention import Entry, Rule, StoredImage, Verdict, beyond, verdicts

NOW = datetime(2026, 2, 1, tzinfo=UTC)
LIVE, RETIRED, FAILED = ReleaseStatus.LIVE, ReleaseStatus.RETIRED, ReleaseStatus.FAILED
RELEASING = ReleaseStatus.RELEASING
SHOP, BLOG = AppName("shop"), AppName("blog")
ONE, TWO, THREE = (ImageDigest(f"sha256:{number}") for number in "123")
LAYER = ImageDigest("sha256:layer")


def entry(version: int, image: ImageDigest, status: ReleaseStatus, app: AppName = SHOP) -> Entry:
    return Entry(app, version, status, image)


def slug(image: ImageDigest, layer: str = "") -> StoredImage:
    return StoredImage(image, "slug", layer, created_at=NOW)


def layer(days_old: int) -> StoredImage:
    made = NOW - timedelta(days=days_old)
    return StoredImage(LAYER, "dependencies", "requirements", owner=1, created_at=made)


def judged(
    entries: Sequence[Entry],
    images: Sequence[StoredImage],
    in_use: Sequence[ImageDigest] = (),
    keep: int = 1,
) -> dict[ImageDigest, Verdict]:
    found = verdicts(entries, images, in_use, Rule(keep, NOW, apps=[1]))
    return {verdict.image.id: verdict for verdict in found}


BEHIND = entry(1, ONE, RETIRED)
AFTER = [entry(2, TWO, RETIRED), entry(3, THREE, LIVE)]


@pytest.mark.parametrize(
    ("entries", "in_use", "stays", "why"),
    [
        ([BEHIND, *AFTER], [], False, "shop v1: behind the last 1"),
        ([BEHIND, *AFTER], [ONE], True, "a container runs it"),
        ([entry(1, ONE, LIVE), entry(2, TWO, FAILED)], [], True, "shop v1 is live"),
        ([entry(1, ONE, RELEASING), *AFTER], [], True, "shop v1 is releasing"),
        ([BEHIND, *AFTER, entry(7, ONE, LIVE, BLOG)], [], True, "blog v7 is live"),
        ([*AFTER, entry(4, ONE, FAILED)], [], True, "shop v4 is one of the last 1"),
        ([BEHIND, entry(2, TWO, FAILED)], [], True, "shop v1 is one of the last 1"),
        ([], [], False, "no release has it"),
    ],
)
def test_a_slug_stays_for_the_strongest_reason(
    entries: Sequence[Entry], in_use: Sequence[ImageDigest], stays: bool, why: str
) -> None:
    verdict = judged(entries, [slug(ONE)], in_use)[ONE]
    assert (verdict.stays, verdict.why) == (stays, why)


def test_why_a_slug_goes_names_its_newest_release_and_counts_the_others() -> None:
    verdict = judged([BEHIND, entry(2, ONE, FAILED), entry(3, TWO, LIVE)], [slug(ONE)])[ONE]
    assert verdict.why == "shop v2 and 1 more: behind the last 1"


@pytest.mark.parametrize(
    ("days_old", "needed", "in_use", "stays"),
    [
        (30, True, False, True),
        (30, False, False, False),
        (30, False, True, True),
        (1, False, False, True),
    ],
)
def test_a_layer_goes_when_it_is_old_and_no_slug_that_stays_stands_on_it(
    days_old: int, needed: bool, in_use: bool, stays: bool
) -> None:
    images = [layer(days_old), slug(THREE if needed else ONE, "requirements"), slug(TWO)]
    found = judged([BEHIND, *AFTER], images, [LAYER] if in_use else [])
    assert found[LAYER].stays is stays


def test_slugs_are_judged_before_the_layers_below_them() -> None:
    kinds = [v.image.kind for v in verdicts([], [layer(30), slug(ONE)], [], Rule(1, NOW, apps=[1]))]
    assert kinds == ["slug", "dependencies"]


def test_slugs_beyond_the_last_are_those_that_none_of_the_last_has() -> None:
    entries = [
        entry(1, ONE, RETIRED),
        entry(2, TWO, RETIRED),
        entry(3, THREE, RETIRED),
        entry(4, TWO, LIVE),
    ]
    assert beyond(entries, 1) == [THREE, ONE]
    assert beyond(entries, 4) == []


IMAGES = [ImageDigest(f"sha256:{number}") for number in range(8)]
LAYERS = ["", "a", "b", "c"]

ledgers = st.lists(
    st.tuples(
        st.sampled_from([SHOP, BLOG]), st.sampled_from(IMAGES), st.sampled_from(ReleaseStatus)
    ),
    max_size=40,
)


@given(
    ledgers,
    st.sets(st.sampled_from(IMAGES)),
    st.lists(st.sampled_from(LAYERS), min_size=8, max_size=8),
    st.integers(1, 5),
)
def test_nothing_that_anybody_needs_is_ever_removed(
    ledger: list[tuple[AppName, ImageDigest, ReleaseStatus]],
    in_use: set[ImageDigest],
    layers: list[str],
    keep: int,
) -> None:
    entries = [entry(n, image, status, app) for n, (app, image, status) in enumerate(ledger, 1)]
    old = NOW - timedelta(days=30)
    stored = [slug(image, key) for image, key in zip(IMAGES, layers, strict=True)]
    stored += [StoredImage(ImageDigest(k), "dependencies", k, created_at=old) for k in LAYERS if k]

    found = verdicts(entries, stored, in_use, Rule(keep, NOW, apps=[1]))

    assert sorted(v.image.id for v in found) == sorted(image.id for image in stored)
    gone = {verdict.image.id for verdict in found if not verdict.stays}
    assert not gone & in_use
    assert not gone & {e.image for e in entries if e.status is LIVE or e.status.unfinished}
    for app in (SHOP, BLOG):
        mine = sorted((e for e in entries if e.app == app), key=lambda e: -e.version)
        went_live = [e for e in mine if e.status in {LIVE, RETIRED}]
        assert not gone & {e.image for e in [*mine[:keep], *went_live[:keep]]}
    kept_layers = {v.image.layer for v in found if v.image.kind == "slug" and v.stays}
    assert not gone & kept_layers


def test_a_layer_of_an_app_that_was_destroyed_goes_at_once_unless_a_slug_stands_on_it() -> None:
    young = layer(0)
    (alone,) = verdicts([], [young], [], Rule(1, NOW, apps=[2]))
    assert (alone.stays, alone.why) == (False, "its app was destroyed")

    promoted = [entry(1, ONE, LIVE, BLOG)]
    found = verdicts(promoted, [slug(ONE, "requirements"), young], [], Rule(1, NOW, apps=[2]))
    assert [verdict.stays for verdict in found] == [True, True]
