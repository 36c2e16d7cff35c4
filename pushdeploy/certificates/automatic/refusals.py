"""A certificate authority says no in many ways: each becomes one of these errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import ClassVar

import requests
from acme import errors, messages
from josepy.errors import DeserializationError

from pushdeploy.domain.errors import PushdeployError
from pushdeploy.domain.names import HostName
from pushdeploy.domain.plain import plain

_LONGEST = timedelta(days=366)
_UNKNOWN_ACCOUNT = frozenset(("accountDoesNotExist", "unauthorized"))
_WORDS = 400

_THEIRS = (
    *(errors.Error, requests.RequestException, DeserializationError),
    *(OSError, LookupError, AttributeError, ValueError),  # an answer that lacks something
)

_HINTS = {
    "connection": "the CA must reach port 80 of this machine: open it, also for IPv6 addresses",
    "dns": "point its A and AAAA records to this machine, or wait until the world knows them",
    "unauthorized": "its A and AAAA records must all lead to this machine, and to no other",
    "incorrectResponse": "its A and AAAA records must all lead to this machine, and to no other",
    "caa": "its CAA record must name this CA, or go",
    "rejectedIdentifier": "this CA gives nothing for such a name; acme_directory names another one",
    "tls": "something before this machine leads to https where no certificate is yet",
}


class CaRefused(PushdeployError):
    """The CA does not give what it was asked for; ``retry_at``: not before then, where it says.

    ``order_is_good``: what it has been asked for already can be gone on with.
    """

    order_is_good: ClassVar[bool] = False

    def __init__(self, message: str, hint: str = "", retry_at: datetime | None = None) -> None:
        super().__init__(message, hint)
        self.retry_at = retry_at


class CaDown(CaRefused):
    """The CA cannot be reached, or has trouble of its own."""

    order_is_good: ClassVar[bool] = True


class RateLimited(CaRefused):
    """The CA has been asked too often."""

    order_is_good: ClassVar[bool] = True


class NotValidated(CaRefused):
    """The CA could not see that the name is ours: the order is over."""


class OrderGone(CaRefused):
    """The CA knows the order no more."""


class UnknownAccount(CaRefused):
    """The CA does not know the account, or knows it no more; ``certain``: no other reason is
    possible."""

    certain = False


@contextmanager
def told(directory: str, last: "LastAnswer") -> Iterator[None]:
    """Raise theirs as ours; ``last`` is the answer that the CA gave before."""
    try:
        yield
    except messages.Error as error:
        raise refusal(error, last.status, last.retry_at) from error
    except _THEIRS as error:
        raise CaDown(
            f"the CA at {directory} {_why(error, last)}",
            "it is asked again by itself; acme_directory in pushdeploy.toml names the CA",
            last.retry_at,
        ) from error


class LastAnswer:
    """What the last answer of the CA says beside its body: a hook of requests' sessions."""

    def __init__(self) -> None:
        self.status = 0
        self.retry_at: datetime | None = None

    def note(self, answer: requests.Response, *_: object, **__: object) -> None:
        self.status = answer.status_code
        self.retry_at = moment_of(answer.headers.get("Retry-After", ""), datetime.now(UTC))

    def forget(self) -> None:
        self.status, self.retry_at = 0, None


def moment_of(retry_after: str, now: datetime) -> datetime | None:
    """Read a Retry-After header (RFC 9110, 10.2.3), seconds or a date; None for anything else."""
    text = retry_after.strip()
    if text.isascii() and text.isdecimal():
        return now + min(timedelta(seconds=int(text[:9])), _LONGEST)
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return min(found.replace(tzinfo=found.tzinfo or UTC), now + _LONGEST)


def refusal(problem: messages.Error, status: int, retry_at: datetime | None) -> CaRefused:
    """Make ours of a problem document (RFC 8555, 6.7) that came with ``status``."""
    said, code = words_of(problem), problem.code
    if status == 429 or code == "rateLimited":
        return RateLimited(f"the CA asks for patience: {said}", "nothing: it is retried", retry_at)
    if status >= 500 or code == "serverInternal":
        return CaDown(f"the CA has trouble of its own: {said}", "nothing: it is retried", retry_at)
    if code in _UNKNOWN_ACCOUNT:
        unknown = UnknownAccount(
            f"the CA does not accept this server's account: {said}",
            "acme_eab_kid and acme_eab_hmac_key in pushdeploy.toml, where the CA wants them",
            retry_at,
        )
        unknown.certain = code == "accountDoesNotExist"
        return unknown
    if code == "externalAccountRequired":
        return CaRefused(
            f"the CA wants an account that it has given out: {said}",
            "acme_eab_kid and acme_eab_hmac_key in pushdeploy.toml",
            retry_at,
        )
    if status == 404:
        return OrderGone(f"the CA knows the order no more: {said}", "", retry_at)
    return CaRefused(f"the CA refuses: {said}", _HINTS.get(code or "", ""), retry_at)


def not_validated(name: HostName, problem: messages.Error | None) -> NotValidated:
    """Make ours of what the CA has against a challenge."""
    if problem is None:
        return NotValidated(f"the CA could not validate {name}, and does not say why")
    return NotValidated(
        f"the CA could not validate {name}: {words_of(problem)}",
        _HINTS.get(problem.code or "", _HINTS["connection"]),
    )


def words_of(problem: messages.Error) -> str:
    """Give the CA's own words, those about each name as well, in one line."""
    parts = [problem.detail or problem.title or problem.description or str(problem.typ)]
    parts += [words_of(each) for each in problem.subproblems or ()]
    said = " ".join(plain("; ".join(parts)).split())
    return said if len(said) <= _WORDS else f"{said[:_WORDS]}…"


def _why(error: Exception, last: LastAnswer) -> str:
    if last.status >= 400:
        return f"answers {last.status}"
    if last.status or not isinstance(error, requests.RequestException | OSError):
        return "answers with what is no ACME"
    if isinstance(error, requests.exceptions.SSLError):
        return "shows a certificate that is not trusted: acme_ca_bundle names what is"
    if isinstance(error, requests.Timeout):
        return "does not answer in time"
    return "cannot be reached"
