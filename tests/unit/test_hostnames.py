"""Host names as people write them."""
# ruff: noqa: RUF001 - letters that look alike are what is tried

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.hosts import ends_in_number
from pushdeploy.domain.names import HostName
from pushdeploy.hostnames import PublicSuffixes, parse_host, shown_host


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("shop.example.com", "shop.example.com"),
        ("WWW.Example.COM", "www.example.com"),
        ("example.com.", "example.com"),
        (" example.com\n", "example.com"),
        ("*.Example.com.", "*.example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.example.", "xn--bcher-kva.example"),
        ("bu\N{COMBINING DIAERESIS}cher.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("XN--BCHER-KVA.EXAMPLE.", "xn--bcher-kva.example"),
        ("*.bücher.example", "*.xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ("пример.рф", "xn--e1afmkfd.xn--p1ai"),
        ("ｓｈｏｐ.example", "shop.example"),
        ("r3---sn-25.example.com", "r3---sn-25.example.com"),
    ],
)
def test_every_way_to_write_a_name_gives_the_one_that_is_sent(written: str, sent: str) -> None:
    assert parse_host(written) == sent


@pytest.mark.parametrize("host", ["１２７.0.0.1", "127。0。0。1", "０ｘ７ｆ.1"])
def test_addresses_in_other_digits_are_seen_through(host: str) -> None:
    assert ends_in_number(parse_host(host))


@pytest.mark.parametrize(
    ("written", "why", "hint"),
    [
        ("https://Shop.example.com/path", "is a URL", "alone: shop.example.com"),
        ("http://", "is a URL", "alone: shop.example.com"),
        ("http://[", "is a URL", "alone"),
        ("shop.example.com:8080", "has a port", "alone: shop.example.com"),
        ("shop.example.com/cart", "has a path", "alone: shop.example.com"),
        ("::1", "is an address", "host name"),
        ("[2001:db8::1]", "is an address", "host name"),
        ("fe80::1%eth0", "is an address", "host name"),
        ("10.1.2.3", "is an address", "host name"),
        ("my_app.example.com", "is not a host name", "www.example.com"),
        ("-shop.example.com", "is not a host name", ""),
        ("shop..example.com", "is not a host name", ""),
        ("example.com..", "is not a host name", ""),
        ("*", "is not a host name", ""),
        ("*.", "is not a host name", ""),
        ("www.*.example.com", "is not a host name", ""),
        ("*.*.example.com", "is not a host name", ""),
        ("", "is not a host name", ""),
        (".", "is not a host name", ""),
        ("shop example.com", "is not a host name", ""),
        ("shop.example.com;", "is not a host name", ""),
        ("a" * 64 + ".example.com", "is too long: 64 characters", "63"),
        (".".join(["a" * 60] * 5), "is not a host name", ""),
        ("ü" * 60 + ".example", "is not a host name", ""),
        ("xn--a.example", "is not a host name", ""),
        ("xn--.example", "is not a host name", ""),
        ("sh\N{RIGHT-TO-LEFT OVERRIDE}op.example", "is not a host name", ""),
    ],
)
def test_what_is_no_name_is_told_apart(written: str, why: str, hint: str) -> None:
    with pytest.raises(UserError, match=why) as refused:
        parse_host(written)
    assert hint in refused.value.hint


@given(st.text(max_size=80))
def test_whatever_is_typed_gives_a_host_name_or_an_error_of_ours(text: str) -> None:
    try:
        host = parse_host(text)
    except UserError:
        return
    assert HostName.fits(host)
    assert parse_host(host) == host


def test_the_letters_of_a_punycode_name_are_shown() -> None:
    assert shown_host(HostName("*.xn--bcher-kva.example")) == (
        "*.xn--bcher-kva.example (bücher.example)"
    )
    assert shown_host(HostName("shop.example.com")) == "shop.example.com"
    assert shown_host(HostName("xn--a.example")) == "xn--a.example"


@pytest.mark.parametrize("host", ["com", "co.uk", "xn--p1ai", "foo.ck", "github.io", "kobe.jp"])
def test_public_suffixes_are_known_without_asking_anybody(host: str) -> None:
    assert PublicSuffixes().has(host)


@pytest.mark.parametrize("host", ["example.com", "www.ck", "localhost", "intranet", "a.test"])
def test_names_that_somebody_owns_are_no_public_suffixes(host: str) -> None:
    assert not PublicSuffixes().has(host)
