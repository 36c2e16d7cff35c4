"""How an attempt goes on, and when it is due."""

from datetime import UTC, datetime, timedelta

from pushdeploy.domain.attempt import Attempt
from pushdeploy.domain.names import HostName

NAME = HostName("shop.example.com")
NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
VALIDITY = (NOW - timedelta(days=1), NOW + timedelta(days=89))
CA, OTHER = "https://ca.example.net/dir", "https://other.example.net/dir"


def test_a_name_without_a_certificate_is_due_at_once_and_then_at_the_next_try() -> None:
    attempt = Attempt(NAME)
    assert attempt.due_at(None, CA) is None
    failed = attempt.failed("no address", "add one", NOW)
    assert failed.due_at(None, CA) == failed.next_at
    assert failed.next_at is not None
    assert failed.next_at > NOW
    assert failed.failed("again", "", NOW).tries == 2


def test_one_with_a_certificate_is_due_late_in_its_life_or_when_the_authority_says() -> None:
    attempt = Attempt(NAME, CA).done(NOW)
    due = attempt.due_at(VALIDITY, CA)
    assert due is not None
    assert due > NOW + timedelta(days=55)
    wanted = NOW + timedelta(days=3)
    assert attempt.suggested(wanted, NOW).due_at(VALIDITY, CA) == wanted
    assert attempt.wanted_at_once(NOW).due_at(VALIDITY, CA) == NOW


def test_a_certificate_of_another_authority_is_replaced() -> None:
    assert Attempt(NAME, OTHER).done(NOW).due_at(VALIDITY, CA) is None
    assert Attempt(NAME).due_at(VALIDITY, CA) is not None


def test_a_renewal_that_was_begun_or_has_failed_is_gone_on_with() -> None:
    begun = Attempt(NAME, CA).ordered("https://ca/1", "key")
    assert begun.due_at(VALIDITY, CA) is None
    failed = begun.failed("why", "", NOW)
    assert failed.due_at(VALIDITY, CA) == failed.next_at
    assert failed.order_url == "https://ca/1"
    assert not failed.done(NOW).is_under_way


def test_an_order_at_another_authority_is_of_no_use() -> None:
    begun = Attempt(NAME, OTHER).ordered("https://other/1", "key").failed("why", "", NOW, NOW)
    moved = begun.at(CA)
    assert (moved.order_url, moved.key_pem, moved.patience_until) == ("", "", None)
    assert moved.tries == 1
    assert begun.at(OTHER) == begun
