"""Names: what each kind takes, and that nothing dangerous passes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import (
    AppName,
    CommitId,
    DiskName,
    HostName,
    KeyName,
    ProcessType,
)

PATH_PARTS = [AppName, DiskName, KeyName, ProcessType]
"""Kinds that become parts of paths, labels or file names."""

Kind = type[AppName | DiskName | HostName | KeyName | ProcessType | CommitId]


@pytest.mark.parametrize("kind", PATH_PARTS)
@given(text=st.text(alphabet=st.sampled_from("aZ0./-_*\\ \n\0é~$@+"), max_size=8))
def test_no_name_leaves_its_directory_or_looks_like_an_option(kind: Kind, text: str) -> None:
    if kind.fits(text):
        assert "/" not in text
        assert "\n" not in text
        assert "\0" not in text
        assert text[0] not in ".-"
        assert text not in {"", ".", ".."}


@pytest.mark.parametrize("kind", [*PATH_PARTS, HostName, CommitId])
@given(text=st.text(max_size=300))
def test_parse_takes_what_fits_as_it_is_and_refuses_the_rest(kind: Kind, text: str) -> None:
    if kind.fits(text):
        assert kind.parse(text) == text
        assert type(kind.parse(text)) is kind
    else:
        with pytest.raises(UserError) as caught:
            kind.parse(text)
        assert caught.value.hint


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (AppName, "a"),
        (AppName, "my-shop-2"),
        (AppName, "a" * 30),
        (DiskName, "up_loads-1"),
        (KeyName, "alice@laptop.local"),
        (KeyName, "ci+deploy"),
        (ProcessType, "web_Worker-1"),
        (HostName, "localhost"),
        (HostName, "www.example.com"),
        (HostName, "*.example.com"),
        (HostName, "xn--bcher-kva.example"),
        (CommitId, "0123456789abcdef" * 2 + "01234567"),
    ],
)
def test_good_name_is_taken(kind: Kind, text: str) -> None:
    assert kind.parse(text) == text


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (AppName, ""),
        (AppName, "-shop"),
        (AppName, "shop-"),
        (AppName, "Shop"),
        (AppName, "a" * 31),
        (AppName, "a.b"),
        (AppName, "a_b"),
        (AppName, "shop\n"),
        (DiskName, "../etc"),
        (KeyName, "two words"),
        (KeyName, "a" * 65),
        (ProcessType, "web.1"),
        (HostName, "WWW.example.com"),
        (HostName, "example.com:80"),
        (HostName, "example.com."),
        (HostName, "a..b"),
        (HostName, "*"),
        (HostName, "a.*.b"),
        (HostName, "a b"),
        (HostName, "a;b"),
        (HostName, "example.com\n"),
        (HostName, ".".join(["a" * 63] * 4)),
        (CommitId, "0" * 39),
        (CommitId, "G" * 40),
    ],
)
def test_bad_name_is_refused(kind: Kind, text: str) -> None:
    with pytest.raises(UserError, match="is not a"):
        kind.parse(text)


def test_error_shows_the_beginning_of_a_very_long_name_only() -> None:
    with pytest.raises(UserError) as caught:
        AppName.parse("x" * 100_000)
    assert len(caught.value.message) < 120


def test_commit_is_shown_short() -> None:
    assert CommitId.parse("abcdef0" + "1" * 33).short == "abcdef0"
