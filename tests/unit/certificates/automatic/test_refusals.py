"""What a certificate authority says no with, in our words."""

from datetime import UTC, datetime, timedelta

import pytest
from acme import messages
from hypothesis import given
from hypothesis import strategies as st

from pushdeploy.certificates.automatic.refusals import (
    CaDown,
    CaRefused,
    NotValidated,
    OrderGone,
    RateLimited,
    UnknownAccount,
    moment_of,
    not_validated,
    refusal,
)
from pushdeploy.domain.names import HostName

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
NAME = HostName("shop.example.com")


def problem(code: str, detail: str = "as it says") -> messages.Error:
    found: messages.Error = messages.Error.from_json(
        {"type": f"urn:ietf:params:acme:error:{code}", "detail": detail}
    )
    return found


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("rateLimited", 429, RateLimited),
        ("rateLimited", 403, RateLimited),
        ("malformed", 429, RateLimited),
        ("serverInternal", 500, CaDown),
        ("unheard-of", 503, CaDown),
        ("accountDoesNotExist", 400, UnknownAccount),
        ("unauthorized", 403, UnknownAccount),
        ("malformed", 404, OrderGone),
        ("externalAccountRequired", 403, CaRefused),
        ("rejectedIdentifier", 400, CaRefused),
        ("badCSR", 400, CaRefused),
    ],
)
def test_each_answer_is_of_a_kind(code: str, status: int, kind: type[CaRefused]) -> None:
    found = refusal(problem(code), status, NOW)
    assert type(found) is kind
    assert found.message.endswith(": as it says")
    assert found.retry_at == NOW


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("connection", "the CA must reach port 80 of this machine"),
        ("unauthorized", "its A and AAAA records must all lead to this machine"),
        ("caa", "its CAA record must name this CA"),
        ("dns", "point its A and AAAA records to this machine"),
        ("unheard-of", "the CA must reach port 80 of this machine"),
    ],
)
def test_what_to_do_follows_from_what_the_authority_has_seen(code: str, hint: str) -> None:
    found = not_validated(NAME, problem(code, "203.0.113.7:\n  \x1b[31mtimed out"))
    assert isinstance(found, NotValidated)
    assert found.message == "the CA could not validate shop.example.com: 203.0.113.7: timed out"
    assert found.hint.startswith(hint)


def test_words_about_several_names_are_all_told_and_endless_ones_cut() -> None:
    each = [{"type": "dns", "detail": "one"}, {"type": "caa", "detail": "other"}]
    compound = messages.Error.from_json({"detail": "two things", "subproblems": each})
    assert refusal(compound, 400, None).message == "the CA refuses: two things; one; other"
    assert len(refusal(problem("dns", "x" * 10_000), 400, None).message) < 500


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120),
        (" 0 ", 0),
        ("Sat, 31 Jan 2026 13:00:00 GMT", 3600),
        ("Saturday, 31-Jan-26 13:00:00 GMT", 3600),
        ("99999999999999999999", 366 * 86_400),
    ],
)
def test_a_retry_after_is_seconds_or_a_date(header: str, seconds: int) -> None:
    assert moment_of(header, NOW) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize("header", ["", "soon", "-5", "1.5", "٣"])
def test_any_other_retry_after_says_nothing(header: str) -> None:
    assert moment_of(header, NOW) is None


@given(st.text())
def test_no_retry_after_is_too_much(header: str) -> None:
    found = moment_of(header, NOW)
    assert found is None or found <= NOW + timedelta(days=366)
