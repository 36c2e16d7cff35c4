"""certs: an app is given a certificate, and shown by the best that there is."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from pushdeploy.certificates.bundle import parse_bundle
from pushdeploy.certificates.checking import Place, checked
from pushdeploy.domain.certificate import Pem
from pushdeploy.domain.names import AppName, HostName
from tests.authority import DAY, Authority
from tests.unit.commands.machine import SHOP, Machine, refused

HERE = Authority()
OWN = HostName("shop.apps.test")
WWW = HostName("www.example.com")
BLOG = AppName("blog")


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """One that serves https, on another port than people expect."""
    (tmp_path / "repositories").mkdir()
    made = Machine(tmp_path, tls="own", https="127.0.0.1:8443")
    made.live()
    yield made
    made.store.close()


def shown(machine: Machine) -> dict[str, Pem | None]:
    return {str(host): pem for host, pem in machine.router.shown.items()}


def kinds(machine: Machine, app: str = "") -> dict[str, str]:
    rows = machine.type(f"certs:list {app} --format json").json
    return {row["host"]: row["kind"] for row in rows}


def test_a_certificate_is_shown_for_the_hosts_that_it_covers(machine: Machine) -> None:
    machine.type(f"domains:add shop {WWW} a.org")
    good = HERE.sign(OWN, "*.example.com")
    answer = machine.type("certs:add shop", good.everything)
    assert answer.status == 0, answer.errors
    assert f"{OWN} is shown by it, until" in answer.out
    assert f"{WWW} is shown by it" in answer.out
    assert "a.org is not covered" in answer.out
    assert shown(machine) == {OWN: good.pem, WWW: good.pem, "a.org": None}
    assert machine.router.table[SHOP].site.secured == {OWN, WWW}
    assert kinds(machine) == {OWN: "own", WWW: "own", "a.org": "stand-in"}
    assert machine.type("urls shop").out.split() == [
        f"https://{OWN}:8443",
        f"https://{WWW}:8443",
        "http://a.org:8080",
    ]


def test_the_key_is_printed_by_no_command_and_stands_in_no_log(machine: Machine) -> None:
    good = HERE.sign(OWN)
    added = machine.type("certs:add shop", good.everything)
    lines = good.key_text.splitlines()[1:-1]
    printed = [added, machine.type("certs:show shop"), machine.type("certs:list --format json")]
    printed += [machine.type("certs:report shop"), machine.type("apps:info shop --format json")]
    assert printed[1].out.rstrip() == good.pem.chain.rstrip()
    for answer in printed:
        assert not any(line in answer.out + answer.errors for line in lines)
    assert not any(line in row for line in lines for row, _ in machine.audited())
    assert refused(machine.type("certs:show shop key"), "keys are never printed", "certs:add")


def test_one_that_is_refused_leaves_what_was_there(machine: Machine) -> None:
    good = HERE.sign(OWN)
    machine.type("certs:add shop", good.everything)
    assert refused(
        machine.type("certs:add shop", HERE.sign("a.org").everything),
        "does not cover any host of shop: it is for a.org",
        "domains:add shop a.org",
    )
    over = HERE.sign(OWN, begins=-9 * DAY, ends=-DAY)
    assert refused(machine.type("certs:add shop", over.everything), "has ended at")
    assert refused(
        machine.type("certs:add shop --host a.org", good.everything), "does not answer on a.org"
    )
    assert refused(machine.type("certs:add", good.everything), "name the app")
    assert shown(machine) == {OWN: good.pem}


def test_one_for_a_host_alone_goes_before_and_goes_with_the_host(machine: Machine) -> None:
    machine.type(f"domains:add shop {WWW}")
    wide, narrow = HERE.sign(OWN, WWW), HERE.sign(WWW)
    machine.type("certs:add shop", wide.everything)
    machine.type(f"certs:add shop --host {WWW}", narrow.everything)
    assert shown(machine) == {OWN: wide.pem, WWW: narrow.pem}
    machine.type(f"domains:remove shop {WWW}")
    assert [each.host for each in machine.store.certificates.list(SHOP)] == [None]
    machine.type(f"domains:add shop {WWW}")
    assert shown(machine) == {OWN: wide.pem, WWW: wide.pem}
    assert machine.type("certs:remove shop").status == 0
    assert shown(machine) == {OWN: None, WWW: None}
    assert refused(machine.type("certs:remove shop"), "shop has no certificate of its own")


def test_one_for_all_apps_serves_every_app_also_new_ones_until_it_is_removed(
    machine: Machine,
) -> None:
    good = HERE.sign("*.apps.test")
    assert machine.type("certs:add --global", good.everything).status == 0
    machine.type("apps:create blog")
    assert shown(machine) == {OWN: good.pem, "blog.apps.test": good.pem}
    assert machine.router.table[BLOG].site.secured == {"blog.apps.test"}
    assert kinds(machine, "blog") == {"blog.apps.test": "global"}
    assert refused(machine.type("certs:add shop --global", b""), "for all apps", "leave out shop")
    machine.type("certs:remove --global")
    assert set(shown(machine).values()) == {None}
    assert machine.router.table[BLOG].site.secured == frozenset()


def test_certificates_follow_a_rename_and_go_with_the_app(machine: Machine) -> None:
    machine.type(f"domains:add shop {WWW}")
    good = HERE.sign(OWN, WWW)
    machine.type("certs:add shop", good.everything)
    assert machine.type("apps:rename shop store").status == 0
    assert shown(machine) == {"store.apps.test": None, WWW: good.pem}
    assert machine.type("apps:destroy store --force").status == 0
    assert machine.store.certificates.list() == []
    assert shown(machine) == {}


def test_one_that_ends_soon_is_told_wherever_somebody_looks(machine: Machine) -> None:
    soon = HERE.sign(OWN, ends=timedelta(days=5, hours=1))
    machine.type("certs:add shop", soon.everything)
    said = f"the certificate of {OWN} ends at"
    assert said in machine.type("certs:list shop").errors
    assert said in machine.type("apps:info shop").out
    [row] = machine.type("certs:list --format json").json
    assert (row["state"], row["ends_in"]) == ("expiring", "5 days")


def test_a_server_that_serves_no_https_keeps_it_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "off" / "repositories").mkdir(parents=True)
    machine = Machine(tmp_path / "off")
    machine.live()
    answer = machine.type("certs:add shop", HERE.sign(OWN).everything)
    assert (answer.status, "set tls = own" in answer.errors) == (0, True)
    assert machine.type("url shop").out == f"http://{OWN}:8080\n"
    machine.store.close()


def test_an_app_that_cannot_follow_now_does_in_a_later_round_and_holds_up_no_other(
    machine: Machine,
) -> None:
    machine.type("apps:create blog")
    machine.type("apps:create news")
    hosts = {app: HostName(f"{app}.apps.test") for app in ("blog", "news", "shop")}
    changes, add = machine.context.flow.certificates, machine.store.certificates.add
    changes.keep_up()
    for host in hosts.values():
        kept = checked(parse_bundle(HERE.sign(host).everything), Place("own", None, host, "ada"))
        add(kept.certificate, kept.pem)
    machine.router.refused.add(hosts["blog"])
    machine.context.locks.traffic.requests_wait(SHOP)
    changes.keep_up()
    secured = {app: machine.router.table[AppName(app)].site.secured for app in hosts}
    assert secured == {"blog": set(), "news": {hosts["news"]}, "shop": set()}
    machine.router.refused.clear()
    machine.context.locks.traffic.requests_go_on(SHOP)
    changes.keep_up()
    assert all(machine.router.table[AppName(app)].site.secured for app in hosts)
