"""What would make an authority say no is found before that is asked."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from pushdeploy.certificates.automatic.name_servers import NameServers
from pushdeploy.certificates.automatic.self_check import NotReady, SelfCheck
from pushdeploy.domain.names import HostName
from pushdeploy.route.routers.nginx.rendering import SharedFront
from pushdeploy.route.routers.nginx.router import Nginx
from pushdeploy.settings import Address
from pushdeploy.templating import Templates
from tests.certificate_authority import Pebble
from tests.web_servers import free_address

NAME = HostName("shop.example.com")
NOBODY = NameServers(Address("127.0.0.1", 1))


@pytest.fixture(params=[False, True], ids=["plain", "behind PROXY lines"])
def checked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Nginx, SelfCheck]]:
    at, lines = free_address(), bool(request.param)
    nginx = Nginx(tmp_path, SharedFront(at, proxy_protocol=lines), Templates(tmp_path))
    nginx.start()
    yield nginx, SelfCheck(at, NOBODY, lines)
    nginx.stop()


def test_a_token_is_looked_for_as_the_authority_would(checked: tuple[Nginx, SelfCheck]) -> None:
    nginx, check = checked
    with pytest.raises(NotReady, match="it answers 404"):
        check.refuse_unanswered(NAME, "abc", "abc.xyz")
    nginx.challenge("abc", "abc.xyz")
    check.refuse_unanswered(NAME, "abc", "abc.xyz")
    with pytest.raises(NotReady, match="it shows another text"):
        check.refuse_unanswered(NAME, "abc", "abc.other")


def test_a_front_that_is_not_there_is_told() -> None:
    with pytest.raises(NotReady, match="it does not answer"):
        SelfCheck(Address("127.0.0.1", 1), NOBODY).refuse_unanswered(NAME, "abc", "abc.xyz")


def test_a_name_is_refused_only_when_the_dns_says_for_certain_that_it_leads_nowhere(
    pebble: Pebble,
) -> None:
    known = SelfCheck(Address("127.0.0.1", 1), NameServers(pebble.names.address))
    known.refuse_unknown(NAME)
    pebble.names.lead_unknown("")
    try:
        with pytest.raises(NotReady, match="has no address"):
            known.refuse_unknown(NAME)
    finally:
        pebble.names.lead_unknown("127.0.0.1")
    SelfCheck(Address("127.0.0.1", 1), NOBODY).refuse_unknown(NAME)
