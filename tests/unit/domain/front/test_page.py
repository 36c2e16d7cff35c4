"""Pages of an app's own: what is taken as one."""

import pytest

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.front.page import MOST_PAGE_BYTES, parse_error_code, parse_page


def test_a_page_is_kept_as_it_is_without_its_mark() -> None:
    assert parse_page(b"\xef\xbb\xbf<p>${x} \r\n\xc3\xbc") == "<p>${x} \r\nü"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b" \n", "empty"),
        (b"\xff\xfe<\0", "not UTF-8"),
        (b"<p>\0", "byte of zero"),
        (b"x" * (MOST_PAGE_BYTES + 1), "larger than 128 KB"),
    ],
)
def test_what_is_no_page_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(UserError, match=why):
        parse_page(data)


def test_pages_are_for_what_nginx_answers_by_itself() -> None:
    assert parse_error_code("502") == 502
    for text in ("500", "404", "200", "502 ", "", "0502", "٥٠٢"):
        with pytest.raises(UserError):
            parse_error_code(text)
