"""Which names want an automatic certificate."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pushdeploy.domain.automatic import Means, unfit, wanted_names, without_covered
from pushdeploy.domain.certificate import covers
from pushdeploy.domain.names import AppName, HostName

SHOP, BLOG = AppName("shop"), AppName("blog")
PUBLIC, WITH_HOOK = Means(wildcards=False, public=True), Means(wildcards=True, public=True)
INSIDE = Means(wildcards=False, public=False)
DOMAIN = "apps.example.com"

LABELS = st.from_regex(r"[a-z]{1,3}", fullmatch=True)
HOSTS = st.builds(
    lambda wild, labels: HostName(("*." if wild else "") + ".".join([*labels, "com"])),
    st.booleans(),
    st.lists(LABELS, min_size=1, max_size=3),
)


def hosts(*names: str) -> list[HostName]:
    return [HostName.parse(name) for name in names]


def having(*patterns: str) -> Callable[[AppName, HostName], bool]:
    return lambda app, host: any(covers(pattern, host) for pattern in patterns)


def nothing(app: AppName, host: HostName) -> bool:
    return False


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("localhost", "it means every machine"),
        ("shop.localhost", "names below .localhost are nobody's"),
        ("shop.apps.test", "names below .test are nobody's"),
        ("printer.local", "names below .local are nobody's"),
        ("127.0.0.1", "it is an address"),
        ("10.0.0.0x7", "it is an address"),
        ("box.internal", "it is a name of a private network"),
        ("box.home.arpa", "it is a name of a private network"),
        ("box", "it is a name of a private network"),
        ("*.shop.com", "a wildcard needs a hook that writes DNS records, <home>/hooks/dns-01"),
        ("*.shop.test", "names below .test are nobody's"),
        ("shop.com", ""),
        ("latest.com", ""),
        ("test.example.com", ""),
        ("xn--bcher-kva.example.com", ""),
    ],
)
def test_no_authority_is_asked_for_a_name_that_none_would_give(name: str, why: str) -> None:
    assert unfit(HostName.parse(name), PUBLIC) == why


def test_an_authority_of_a_private_network_may_know_its_names() -> None:
    assert unfit(HostName("box.internal"), INSIDE) == ""
    assert unfit(HostName("box"), INSIDE) == ""
    assert unfit(HostName("box.test"), INSIDE) != ""


def test_all_hosts_of_an_app_want_one_each() -> None:
    found = wanted_names({SHOP: hosts(f"shop.{DOMAIN}", "shop.com")}, DOMAIN, nothing, PUBLIC)
    assert found == {f"shop.{DOMAIN}": SHOP, "shop.com": SHOP}


def test_what_an_own_certificate_covers_wants_none() -> None:
    apps = {SHOP: hosts(f"shop.{DOMAIN}", "shop.com"), BLOG: hosts("blog.com", "*.shop.com")}
    found = wanted_names(apps, DOMAIN, having(f"*.{DOMAIN}", "blog.com"), WITH_HOOK)
    assert found == {"shop.com": SHOP, "*.shop.com": BLOG}


def test_one_wildcard_is_enough_for_all_default_hosts_unless_there_is_no_hope_for_it() -> None:
    apps = {SHOP: hosts(f"shop.{DOMAIN}", "shop.com"), BLOG: hosts(f"blog.{DOMAIN}")}
    wanted = wanted_names(apps, DOMAIN, nothing, WITH_HOOK)
    assert without_covered(wanted, []) == {f"*.{DOMAIN}": None, "shop.com": SHOP}
    assert without_covered(wanted, [HostName(f"*.{DOMAIN}")]) == wanted
    assert f"*.{DOMAIN}" not in wanted_names({SHOP: hosts("shop.com")}, DOMAIN, nothing, WITH_HOOK)


@given(st.lists(HOSTS, max_size=8), st.lists(HOSTS, max_size=4), st.booleans())
def test_each_name_has_a_certificate_a_wish_or_a_reason(
    names: list[HostName], own: list[HostName], wildcards: bool
) -> None:
    means = Means(wildcards=wildcards, public=True)
    wanted = wanted_names({SHOP: names}, "com", having(*own), means)
    left = without_covered(wanted, [])
    for name in names:
        served = any(covers(pattern, name) for pattern in (*own, *left))
        assert served == (not unfit(name, means) or any(covers(each, name) for each in own))
    assert not any(covers(pattern, name) for pattern in own for name in wanted)
    assert not any(a != b and covers(a, b) for a in left for b in left)
