"""Certificates come from a real certificate authority, whatever it does in between."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from pushdeploy.certificates.automatic.accounts import Accounts
from pushdeploy.certificates.automatic.dns_hook import HookFailed
from pushdeploy.certificates.automatic.issuing import Issued
from pushdeploy.certificates.automatic.orders import Orders
from pushdeploy.certificates.automatic.refusals import (
    CaDown,
    CaRefused,
    NotValidated,
    RateLimited,
    UnknownAccount,
)
from pushdeploy.certificates.automatic.self_check import NotReady
from pushdeploy.domain.names import HostName
from tests.certificate_authority import Pebble
from tests.certificate_front import CertificateFront, Refusal
from tests.ordering import Customer

HOOK = """\
#!/bin/sh
echo "$DNS01_ACTION $DNS01_NAME $DNS01_DOMAIN" >>"$PUSHDEPLOY_HOME/asked"
case $DNS01_ACTION in
add) curl -sf -d "{{\\"host\\":\\"$DNS01_NAME.\\",\\"value\\":\\"$DNS01_VALUE\\"}}" {at}/set-txt ;;
remove) curl -sf -d "{{\\"host\\":\\"$DNS01_NAME.\\"}}" {at}/clear-txt ;;
esac
"""


def names_of(issued: Issued) -> list[str]:
    """The names in the certificate, which must fit its key."""
    first = x509.load_pem_x509_certificates(issued.chain_pem.encode())[0]
    key = serialization.load_pem_private_key(issued.key_pem.encode(), None)
    assert first.public_key() == key.public_key()
    found = first.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    return found.value.get_values_for_type(x509.DNSName)


def test_a_name_gets_a_certificate_with_its_chain_for_itself_alone(customer: Customer) -> None:
    issued = customer.obtain("shop.example.com")
    assert names_of(issued) == ["shop.example.com"]
    chain = x509.load_pem_x509_certificates(issued.chain_pem.encode())
    assert chain[0].issuer == chain[1].subject
    assert list((customer.router._prefix.challenges).iterdir()) == []


def test_the_account_is_made_once_and_its_key_stands_in_no_text(customer: Customer) -> None:
    customer.obtain("one.example.com")
    account = customer.store.acme_accounts.get(customer.authority.directory)
    customer.obtain("two.example.com")
    assert account == customer.store.acme_accounts.get(customer.authority.directory)
    assert account is not None
    assert '"d"' in account.key
    assert account.key not in repr(account)
    assert customer.kept[0].key_pem not in repr(customer.kept[0])


def test_half_of_the_nonces_may_be_refused_and_no_proof_be_used_twice(
    customer: Customer, running: Pebble
) -> None:
    running.stop()
    running.start(customer.front.port, PEBBLE_WFE_NONCEREJECT="50", PEBBLE_AUTHZREUSE="0")
    for _ in range(2):
        assert names_of(customer.obtain("shop.example.com")) == ["shop.example.com"]
        customer.kept.clear()


def test_proofs_that_the_authority_has_already_are_used_again(
    customer: Customer, running: Pebble
) -> None:
    running.stop()
    running.start(customer.front.port, PEBBLE_AUTHZREUSE="100")
    first = customer.obtain("shop.example.com")
    customer.kept.clear()
    assert customer.obtain("shop.example.com", first.chain_pem).chain_pem != first.chain_pem


def test_an_order_that_was_cut_short_is_gone_on_with(
    customer: Customer, front: CertificateFront
) -> None:
    """As after a kill: only what was kept is known, and each step of the order is the last one."""
    front.refusals.append(Refusal("/chalZ/", 500, "serverInternal"))
    front.refusals.append(Refusal("/finalize-order/", 500, "serverInternal"))
    front.refusals.append(Refusal("/certZ/", 503, "serverInternal"))
    for _ in range(3):
        with pytest.raises(CaDown, match="trouble of its own: not now"):
            customer.obtain("shop.example.com", directory=front.directory)
    issued = customer.obtain("shop.example.com", directory=front.directory)
    assert names_of(issued) == ["shop.example.com"]
    assert front.count("/order-plz") == 1
    assert [kept.key_pem for kept in customer.kept] == [issued.key_pem]


def test_an_order_that_has_given_its_certificate_already_is_replaced(customer: Customer) -> None:
    first = customer.obtain("shop.example.com")
    second = customer.obtain("shop.example.com", first.chain_pem)
    assert second.chain_pem != first.chain_pem
    assert len(customer.kept) == 2


def test_an_order_that_the_authority_has_lost_is_replaced(
    customer: Customer, running: Pebble
) -> None:
    customer.obtain("shop.example.com")
    running.stop()
    running.start(customer.front.port)
    assert names_of(customer.obtain("shop.example.com")) == ["shop.example.com"]


def test_an_account_that_is_unknown_is_made_anew(customer: Customer, running: Pebble) -> None:
    customer.obtain("one.example.com")
    before = customer.store.acme_accounts.get(customer.authority.directory)
    running.stop()
    running.start(customer.front.port)
    assert names_of(customer.obtain("two.example.com")) == ["two.example.com"]
    assert customer.store.acme_accounts.get(customer.authority.directory) != before


def test_an_account_that_was_deactivated_is_replaced_once_and_not_again_and_again(
    customer: Customer,
) -> None:
    customer.obtain("one.example.com")
    accounts = Accounts(customer.authority, customer.store.acme_accounts)
    member = accounts.member()
    assert member.network.account is not None
    member.client.deactivate_registration(member.network.account)
    with pytest.raises(UnknownAccount, match="does not accept this server's account"):
        customer.obtain("two.example.com")
    account = customer.store.acme_accounts.get(customer.authority.directory)
    assert account is not None
    with customer.store.acme_accounts._database.changing() as connection:
        connection.exec_driver_sql("UPDATE acme_accounts SET created_at = '2020-01-01 00:00:00'")
    assert names_of(customer.obtain("two.example.com")) == ["two.example.com"]


def test_an_account_is_bound_to_a_customer_where_the_authority_wants_that(
    customer: Customer, running: Pebble
) -> None:
    running.stop()
    given = {"kid-1": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"}
    running.start(
        customer.front.port,
        config={"externalAccountBindingRequired": True, "externalAccountMACKeys": given},
    )
    with pytest.raises(CaRefused) as refused:
        customer.obtain("shop.example.com")
    assert "acme_eab_kid" in refused.value.hint
    with pytest.raises(CaRefused, match="is no key in base64url"):
        customer.obtain("shop.example.com", given_id="kid-1", given_key="ä")
    with pytest.raises(CaRefused):
        customer.obtain("shop.example.com", given_id="kid-1", given_key="AAAA")
    issued = customer.obtain("shop.example.com", given_id="kid-1", given_key=given["kid-1"])
    assert names_of(issued) == ["shop.example.com"]


def test_an_authority_that_is_down_is_told_apart_from_one_that_refuses(
    customer: Customer, running: Pebble, front: CertificateFront
) -> None:
    with pytest.raises(CaDown, match="is not trusted: acme_ca_bundle"):
        customer.obtain("shop.example.com", ca_bundle=None)
    front.refusals.append(Refusal("/dir", 200, "no directory"))
    with pytest.raises(CaDown, match="with what is no ACME"):
        customer.obtain("shop.example.com", directory=front.directory)
    running.stop()
    with pytest.raises(CaDown, match="cannot be reached"):
        customer.obtain("shop.example.com")
    front.refusals.append(Refusal("/dir", 502, "unheard-of"))
    with pytest.raises(CaDown, match="trouble of its own"):
        customer.obtain("shop.example.com", directory=front.directory)


def test_an_authority_that_asks_for_patience_says_how_long(
    customer: Customer, front: CertificateFront
) -> None:
    front.refusals.append(Refusal("/order-plz", 429, "rateLimited", {"Retry-After": "7200"}))
    before = datetime.now(UTC)
    with pytest.raises(RateLimited, match="asks for patience: not now") as refused:
        customer.obtain("shop.example.com", directory=front.directory)
    assert refused.value.retry_at is not None
    assert refused.value.retry_at - before >= timedelta(hours=2)
    assert front.count("/order-plz") == 1


def test_a_name_that_does_not_resolve_is_never_ordered(
    customer: Customer, front: CertificateFront, pebble: Pebble
) -> None:
    pebble.names.lead_unknown("")
    try:
        with pytest.raises(NotReady, match=r"shop\.example\.com does not resolve") as refused:
            customer.obtain("shop.example.com", directory=front.directory)
    finally:
        pebble.names.lead_unknown("127.0.0.1")
    assert "A record for shop.example.com" in refused.value.hint
    assert front.asked == []


def test_a_front_that_does_not_answer_is_noticed_before_the_authority_looks(
    customer: Customer, front: CertificateFront
) -> None:
    elsewhere = Customer(
        customer.home,
        customer.front.__class__("127.0.0.1", 1),
        customer.router,
        customer.store,
        customer.authority,
        customer.names,
    )
    with pytest.raises(NotReady, match="own front does not show the CA's token"):
        elsewhere.obtain("shop.example.com", directory=front.directory)
    assert front.count("/chalZ/") == 0


def test_a_name_that_leads_elsewhere_is_refused_in_the_authoritys_words(
    customer: Customer, pebble: Pebble
) -> None:
    pebble.names.lead("away.example.com", "127.0.0.9")
    with pytest.raises(NotValidated, match=r"could not validate away\.example\.com: ") as refused:
        customer.obtain("away.example.com")
    assert "port 80" in refused.value.hint
    assert "refused" in refused.value.message
    pebble.names.forget("away.example.com")
    assert names_of(customer.obtain("away.example.com")) == ["away.example.com"]
    assert len(customer.kept) == 2


def test_a_wildcard_is_proved_by_the_script_of_the_operator(
    customer: Customer, pebble: Pebble
) -> None:
    hook = customer.home / "hooks" / "dns-01"
    hook.parent.mkdir()
    hook.write_text(HOOK.format(at=pebble.names.management))
    assert names_of(customer.obtain("*.example.com")) == ["*.example.com"]
    asked = (customer.home / "asked").read_text().splitlines()
    assert asked == [
        "add _acme-challenge.example.com example.com",
        "remove _acme-challenge.example.com example.com",
    ]


def test_a_script_that_fails_says_why_in_the_reason(customer: Customer) -> None:
    hook = customer.home / "hooks" / "dns-01"
    hook.parent.mkdir()
    hook.write_text("echo no such zone\necho '\x1b[31mreally\x1b[0m' >&2\nexit 3\n")
    with pytest.raises(HookFailed, match="exit code 3: no such zone really") as refused:
        customer.obtain("*.example.com")
    assert refused.value.hint == f"look at {hook}"


def test_an_authority_may_suggest_when_to_renew(
    customer: Customer, front: CertificateFront
) -> None:
    issued, issuing = customer.obtain("shop.example.com"), customer.issuing()
    assert issuing.suggestion(issued.chain_pem).renew_at is None
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
    front.window = (start, start + timedelta(days=1))
    suggested = customer.issuing(directory=front.directory).suggestion(issued.chain_pem)
    assert suggested.renew_at is not None
    assert start <= suggested.renew_at <= start + timedelta(days=1)
    assert suggested.ask_at > datetime.now(UTC) + timedelta(hours=5)
    front.refusals.append(Refusal("/renewal-info/", 500, "serverInternal"))
    with pytest.raises(CaDown):
        customer.issuing(directory=front.directory).suggestion(issued.chain_pem)


def test_an_order_is_for_one_name_and_names_the_profile(customer: Customer) -> None:
    issuing = customer.issuing(profile="shortlived")
    orders = Orders(issuing.authority, issuing.accounts.member())
    assert len(orders.place(HostName.parse("shop.example.com")).proofs_at) == 1
