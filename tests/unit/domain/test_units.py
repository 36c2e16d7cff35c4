"""Times and sizes: what is shown can be read back."""

import pytest
from hypothesis import given
from hypothesis.strategies import integers

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.sizes import about_bytes
from pushdeploy.domain.units import (
    parse_bytes,
    parse_seconds,
    show_bytes,
    show_seconds,
)


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("90", 90), ("90s", 90), ("2M", 120), ("1h", 3600)]
)
def test_times_have_units(text: str, seconds: int) -> None:
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [("1024", 1024), ("512k", 524_288), ("50M", 52_428_800), ("2GB", 2 * 1024**3), ("7b", 7)],
)
def test_sizes_have_units(text: str, size_bytes: int) -> None:
    assert parse_bytes(text) == size_bytes


@pytest.mark.parametrize("text", ["", "-1", "1.5h", "h", "1 h", "٣s", "1x", "b"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(UserError):
        parse_seconds(text)
    with pytest.raises(UserError):
        parse_bytes(text)


@given(integers(0, 10**9))
def test_what_is_shown_can_be_read_back(amount: int) -> None:
    assert parse_seconds(show_seconds(amount)) == amount
    assert parse_bytes(show_bytes(amount)) == amount


def test_sizes_for_people_have_one_decimal() -> None:
    assert [about_bytes(n) for n in (0, 1023, 1536, 5 * 1024**3)] == [
        "0 B",
        "1023 B",
        "1.5 kB",
        "5.0 GB",
    ]
