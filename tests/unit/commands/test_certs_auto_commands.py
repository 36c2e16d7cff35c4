"""What people are told of automatic certificates, and what they can do about them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pushdeploy.doctor.check import Installation
from pushdeploy.doctor.checks.automatic_certificates import CHECK
from pushdeploy.domain.attempt import Attempt
from pushdeploy.domain.certificate import Certificate, Pem
from pushdeploy.domain.names import AppName, HostName
from pushdeploy.instance import Home
from tests.unit.commands.machine import SHOP, Machine, refused

NOW = datetime.now(UTC)
HOST = HostName("shop.example.com")
CA = "https://acme-v02.api.letsencrypt.org/directory"


@pytest.fixture
def auto(tmp_path: Path) -> Machine:
    machine = Machine(tmp_path, tls="auto")
    machine.live()
    machine.type(f"domains:add shop {HOST}")
    return machine


def certify(
    machine: Machine, *names: str, days: float = 60, kind: str = "acme", age: float = 30
) -> None:
    """A certificate that ends in so many days and has come so many ago."""
    made = Certificate(
        id=0,
        kind="own" if kind == "own" else "acme",
        app=None,
        host=None,
        names=names,
        issuer="Test CA",
        not_before=NOW - timedelta(days=age),
        not_after=NOW + timedelta(days=days),
        fingerprint="00",
        key_type="EC P-256",
        by="pushdeploy",
        created_at=NOW,
    )
    machine.store.certificates.add(made, Pem("chain", "key"))


def row(machine: Machine, host: str = HOST) -> dict[str, object]:
    rows = machine.type("certs:auto shop --format json").json
    return next(each for each in rows if each["host"] == host)


def test_each_host_says_how_it_stands(auto: Machine) -> None:
    assert row(auto, "shop.apps.test")["state"] == "none"
    assert row(auto, "shop.apps.test")["why"] == "names below .test are nobody's"
    assert row(auto)["state"] == "waiting"
    auto.store.attempts.save(Attempt(HOST, CA).failed("no address", "add one", NOW))
    failing = row(auto)
    assert (failing["state"], failing["why"], failing["hint"]) == (
        "failing",
        "no address",
        "add one",
    )
    assert failing["tries"] == 1
    auto.store.attempts.save(Attempt(HOST, CA).done(NOW))
    certify(auto, HOST)
    issued = row(auto)
    assert (issued["state"], issued["why"]) == ("issued", "")
    assert issued["expires_at"] is not None
    assert issued["next_at"] is not None
    certify(auto, HOST, kind="own")
    assert row(auto)["state"] == "own"


def test_the_list_says_why_a_host_has_none_when_it_is_tried_again_and_what_to_do(
    auto: Machine,
) -> None:
    auto.store.attempts.save(Attempt(HOST, CA).failed("no address", "add one", NOW))
    answer = auto.type("certs:list shop")
    assert f"{HOST} has no certificate: no address; tried again at 20" in answer.errors
    assert "UTC: add one" in answer.errors
    assert "shop.apps.test gets no certificate by itself: names below .test" in answer.errors
    rows = auto.type("certs:list shop --format json").json
    [row] = [each for each in rows if each["host"] == HOST]
    assert (row["automatic"], row["why"], row["hint"]) == ("failing", "no address", "add one")


def test_a_wildcard_is_told_of_where_it_serves_a_host(auto: Machine, tmp_path: Path) -> None:
    auto.type("domains:add shop *.example.com")
    assert row(auto, "*.example.com")["why"].startswith("a wildcard needs a hook")  # type: ignore[attr-defined]
    (tmp_path / "hooks").mkdir()
    (tmp_path / "hooks" / "dns-01").write_text("exit 0")
    assert row(auto)["certificate_for"] == "*.example.com"


def test_without_the_setting_nothing_comes_by_itself(machine: Machine) -> None:
    machine.live()
    [row] = machine.type("certs:auto shop --format json").json
    assert (row["state"], row["why"]) == ("off", "automatic certificates are off")


def test_people_read_a_table_and_an_unknown_app_is_told(auto: Machine) -> None:
    answer = auto.type("certs:auto")
    assert answer.status == 0
    assert str(HOST) in answer.out
    assert auto.type("certs:auto nobody").status == 20


def test_the_impatient_are_heard(auto: Machine) -> None:
    failed = Attempt(HOST, CA).failed("no address", "add one", NOW)
    auto.store.attempts.save(failed)
    assert auto.type("certs:renew shop").out.startswith(f"a certificate for {HOST} is tried")
    assert auto.store.attempts.get(HOST).next_at is None
    certify(auto, HOST, age=10)
    auto.store.attempts.save(Attempt(HOST, CA).done(NOW))
    assert refused(auto.type(f"certs:renew {HOST}"), "within this hour", "certs:auto")


def test_the_impatient_wait_for_what_the_authority_has_named(auto: Machine) -> None:
    later = NOW + timedelta(days=2)
    limited = Attempt(HOST, CA).failed("too many", "", NOW, later)
    auto.store.attempts.save(limited)
    answer = auto.type("certs:auto:refresh shop.example.com")
    assert refused(answer, f"before {later:%Y-%m-%d %H:%M} UTC")
    assert auto.store.attempts.get(HOST) == limited


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("certs:renew shop.apps.test", "names below .test are nobody's"),
        ("certs:renew no-such-app", "does not exist"),
        ("certs:renew other.example.com", "is no host of an app"),
        ("certs:renew http://shop.example.com", "is a URL"),
    ],
)
def test_what_cannot_be_renewed_says_why(auto: Machine, line: str, why: str) -> None:
    answer = auto.type(line)
    assert answer.status != 0
    assert why in answer.errors


def test_a_renewal_that_fails_warns_in_the_last_two_weeks(auto: Machine, tmp_path: Path) -> None:
    auto.store.attempts.save(Attempt(HOST, CA).failed("no address", "add one", NOW))
    certify(auto, HOST, days=15, age=75)
    installation = Installation(auto.context.settings, Home(tmp_path))
    assert auto.type("apps:info shop --format json").json["certificate_trouble"] == []
    assert all(finding.ok for finding in CHECK.look(installation))
    certify(auto, HOST, days=13, age=77)
    [told] = auto.type("apps:info shop --format json").json["certificate_trouble"]
    assert told.startswith(f"the certificate of {HOST} ends on ")
    assert told.endswith("and is not renewed: no address")
    [finding] = CHECK.look(installation)
    assert (finding.ok, finding.mend) == (False, "add one")


def test_a_domain_and_a_release_wake_whoever_gets_certificates(auto: Machine) -> None:
    chore = auto.context.upkeep.automatic_certificates
    chore._woken.clear()
    auto.type("domains:add shop www.example.com")
    assert chore._woken.is_set()
    chore._woken.clear()
    auto.context.flow.renewals.errands.certify()
    assert chore._woken.is_set()


def test_hosts_of_an_app_that_was_never_live_want_none_but_its_domains(auto: Machine) -> None:
    auto.store.apps.create(AppName("blog"))
    wishes = auto.context.back_ends.wishes
    assert list(wishes.hosts()[AppName("blog")]) == []
    auto.store.domains.add(AppName("blog"), HostName("blog.example.com"))
    assert wishes.wanted() == {HOST: SHOP, "blog.example.com": "blog"}
