"""Which certificate a host is shown by."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushdeploy.domain.certificate import Certificate, Pem, best_for, covers, served
from pushdeploy.domain.names import AppName, HostName

NOW = datetime(2026, 1, 31, tzinfo=UTC)
SHOP, BLOG = AppName("shop"), AppName("blog")
HOST = HostName("www.example.com")
DAY = timedelta(days=1)


def certificate(*names: str, number: int = 1, **changes: Any) -> Certificate:
    plain = Certificate(
        id=number,
        kind="own",
        app=SHOP,
        host=None,
        names=names,
        issuer="Test Intermediate",
        not_before=NOW - DAY,
        not_after=NOW + 60 * DAY,
        fingerprint="ab" * 32,
        key_type="EC P-256",
        by="ada",
        created_at=NOW,
    )
    return replace(plain, **changes)


@pytest.mark.parametrize(
    ("name", "host", "is_covered"),
    [
        ("www.example.com", "www.example.com", True),
        ("WWW.Example.com", "www.example.com", True),
        ("example.com", "www.example.com", False),
        ("*.example.com", "www.example.com", True),
        ("*.example.com", "example.com", False),
        ("*.example.com", "a.www.example.com", False),
        ("*.example.com", "*.example.com", True),
        ("*.com", "*.example.com", False),
        ("www.*.com", "www.example.com", False),
        ("*", "localhost", False),
    ],
)
def test_a_name_covers_one_label_in_place_of_its_star(
    name: str, host: str, is_covered: bool
) -> None:
    assert covers(name, host) is is_covered


def test_the_nearest_of_those_that_are_valid_is_chosen() -> None:
    ranked = [
        certificate(HOST, number=7, host=HOST, not_after=NOW + DAY),
        certificate(HOST, number=6),
        certificate("*.example.com", number=5),
        certificate(HOST, number=4, kind="acme", app=None, host=HOST),
        certificate("*.example.com", number=3, kind="acme", app=None),
        certificate(HOST, number=2, app=None),
        certificate("*.example.com", number=1, app=None),
    ]
    for best, rest in ((ranked[at], ranked[at:]) for at in range(len(ranked))):
        assert best_for(SHOP, HOST, reversed(rest), NOW) == best
        assert best_for(SHOP, HOST, rest, NOW) == best


def test_one_that_has_ended_is_shown_only_where_there_is_no_other() -> None:
    over = certificate(HOST, host=HOST, not_after=NOW)
    early = certificate(HOST, number=3, host=HOST, not_before=NOW + DAY)
    for_all = certificate("*.example.com", number=2, app=None)
    assert best_for(SHOP, HOST, [over, early, for_all], NOW) == for_all
    assert best_for(SHOP, HOST, [over], NOW) == over


def test_of_the_same_rank_the_one_that_lasts_longest_is_chosen() -> None:
    short, long = certificate(HOST), certificate(HOST, number=2, not_after=NOW + 90 * DAY)
    assert best_for(SHOP, HOST, [long, short], NOW) == long


def test_no_app_is_shown_by_anothers_and_no_host_by_one_for_another_host() -> None:
    other = HostName("a.example.com")
    assert best_for(BLOG, HOST, [certificate(HOST)], NOW) is None
    assert best_for(SHOP, other, [certificate(HOST, other, host=HOST)], NOW) is None
    assert best_for(SHOP, other, [certificate(HOST)], NOW) is None


def test_a_state_warns_before_the_end() -> None:
    for days, state in ((60, "valid"), (14, "valid"), (13, "expiring"), (0, "expired")):
        assert certificate(HOST, not_after=NOW + days * DAY).state(NOW) == state
    assert certificate(HOST, not_before=NOW + DAY).state(NOW) == "early"


def test_a_key_is_never_shown() -> None:
    assert "secret" not in repr(Pem("chain", "secret"))


_LABELS = st.sampled_from(["a", "b", "example", "com"])
_NAMES = st.builds(
    lambda star, labels: ("*." if star else "") + ".".join(labels),
    st.booleans(),
    st.lists(_LABELS, min_size=1, max_size=3),
)
_CERTIFICATES = st.lists(
    st.builds(
        lambda names, app, kind, days: certificate(
            *names, app=app, kind=kind, not_after=NOW + days * DAY
        ),
        st.lists(_NAMES, min_size=1, max_size=3),
        st.sampled_from([SHOP, BLOG, None]),
        st.sampled_from(["own", "acme"]),
        st.integers(-1, 3),
    ),
    max_size=6,
)


@given(_CERTIFICATES, _NAMES)
def test_what_is_chosen_for_all_is_what_is_chosen_for_one(
    found: list[Certificate], name: str
) -> None:
    found = [replace(each, id=number) for number, each in enumerate(found)]
    host = HostName.parse(name)
    [chosen] = served({SHOP: [host]}, found, NOW)
    assert chosen.certificate == best_for(SHOP, host, found, NOW)
