"""Whatever people type: no value of a rule ever becomes a directive of nginx."""

import re
from contextlib import suppress
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.front.access import Access
from pushdeploy.domain.front.maintenance import Maintenance
from pushdeploy.domain.front.network import parse_network
from pushdeploy.domain.front.password import Passwords
from pushdeploy.domain.front.path import parse_path
from pushdeploy.domain.front.redirect import Redirect, parse_redirect
from pushdeploy.domain.front.rules import FrontRules
from pushdeploy.route.routers.nginx.rendering import SharedFront, app_file
from pushdeploy.settings import Address
from pushdeploy.templating import Templates
from tests.web_servers import route_to

SHARED, TEMPLATES = SharedFront(Address("0.0.0.0", 80)), Templates()
EVIL = st.text(st.sampled_from("/a*;\"'\\${}()#?%25 \n\tü\0[]|^~.:@"), max_size=30) | st.text(
    max_size=30
)


def rendered(rules: FrontRules) -> str:
    route = route_to(state="stopped")
    return app_file(TEMPLATES, SHARED, replace(route, site=replace(route.site, rules=rules)))


def directives(text: str) -> int:
    """The statements and blocks of a file, as nginx counts them: outside of quotes."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", text)
    return sum(bare.count(sign) for sign in ";{}")


PLAIN = directives(rendered(FrontRules(redirects=(Redirect("/a", "/b"),))))


@given(source=EVIL, target=EVIL)
def test_a_redirect_is_one_line_of_a_map(source: str, target: str) -> None:
    for text, address in ((f"/{source}", f"/{target}"), (source, f"https://a.b/{target}")):
        with suppress(UserError):
            redirect = parse_redirect(text, address, 302)
            file = rendered(FrontRules(redirects=(redirect,)))
            assert directives(file) == PLAIN
            assert "\0" not in file
            variables = set(re.findall(r"\$\w+", _answer_in(file)))
            assert variables <= {"$pushdeploy_rest", "$is_args", "$args"}


@given(source=EVIL, target=EVIL)
def test_nor_is_one_that_nobody_has_checked(source: str, target: str) -> None:
    with suppress(ValueError):
        assert directives(rendered(FrontRules(redirects=(Redirect(source, target),)))) == PLAIN


@given(text=EVIL)
def test_a_path_is_one_line_of_a_map(text: str) -> None:
    one = directives(rendered(FrontRules(passwords=Passwords({"/a": {}}))))
    with suppress(UserError):
        path = parse_path(f"/{text}")
        found = directives(rendered(FrontRules(passwords=Passwords({path: {}}))))
        assert found == (one if path != "/" else found)


@given(text=EVIL)
def test_a_network_is_one_line(text: str) -> None:
    with suppress(UserError):
        network = parse_network(text)
        rules = FrontRules(Maintenance(allowed=(network,)), Access({network: "deny"}))
        assert str(network) in rendered(rules)


@given(page=st.text())
def test_a_page_stands_in_no_file_of_nginx(page: str) -> None:
    with suppress(UnicodeEncodeError):
        one, other = (rendered(FrontRules(pages={502: each})) for each in (page, "<p>"))
        assert re.sub(r"502-[0-9a-f]{32}", "", one) == re.sub(r"502-[0-9a-f]{32}", "", other)


def _answer_in(file: str) -> str:
    return next(line for line in file.splitlines() if ' "302:' in line).partition(' "302:')[2]
