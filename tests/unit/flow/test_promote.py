"""A live release is promoted: what the targets get, and when nothing is released."""

from threading import Thread

import pytest

from pushdeploy.domain.asker import Asker
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.names import AppName, CommitId, ImageDigest
from pushdeploy.domain.promotion import Mode
from pushdeploy.flow.promote import Promotion
from pushdeploy.locks.apps import Purpose
from pushdeploy.output import Quiet
from tests.unit.commands.machine import ADA, SHOP, WEB, Client, Machine
from tests.unit.commands.stages import EU, NEW, STAGING, Listener

STORE = AppName("store")


def test_promote_without_a_word_releases_the_slug_with_the_targets_own_config(
    two: Machine,
) -> None:
    two.store.config.replace(SHOP, {"COLOUR": "red"})
    two.store.config.replace(STAGING, {"COLOUR": "blue"})

    answer = two.type("pipelines:promote")

    assert answer.status == 0, answer.errors
    live = two.store.releases.current(SHOP)
    assert live is not None
    assert (live.version, live.slug.image, live.config) == (2, NEW, {"COLOUR": "red"})
    assert live.description.startswith("Promote shop-staging v1 ")
    assert answer.out.splitlines()[-2:] == [
        "=====> Promotion of shop-staging",
        "shop  succeeded  v2       -",
    ]
    assert two.type("pipelines:diff --format json").json[0]["same_slug"]


def test_a_target_that_fails_makes_the_exit_code_1_and_stays_as_it_was(two: Machine) -> None:
    two.scheduler.broken = {WEB}
    answer = two.type("pipelines:promote")
    assert answer.status == 1
    assert answer.out.splitlines()[-1] == "shop  failed   v2       web.1 did not start"
    live = two.store.releases.current(SHOP)
    assert live is not None
    assert live.version == 1


def test_an_older_release_of_the_source_can_be_promoted(two: Machine) -> None:
    first = two.store.releases.get(STAGING, 1)
    two.type("config:set shop-staging A=1")
    assert two.type("pipelines:promote --release v1 shop-staging").status == 0
    live = two.store.releases.current(SHOP)
    assert live is not None
    assert (live.slug, live.config) == (first.slug, {})


def test_to_names_any_app_of_the_pipeline_and_no_other(two: Machine) -> None:
    two.store.apps.create(EU)
    refused = two.type("pipelines:promote --to shop-eu shop-staging")
    assert "shop-eu is not in the pipeline main" in refused.errors
    two.type("pipelines:add main shop-eu --stage eu")
    assert two.type("pipelines:promote shop-staging --to shop,shop-eu,shop").status == 0
    for app in (SHOP, EU):
        live = two.store.releases.current(app)
        assert live is not None
        assert live.slug.image == NEW


def test_histories_that_share_nothing_need_force(two: Machine) -> None:
    two.live(SHOP, commit=CommitId("a" * 40), key="other")
    refused = two.type("pipelines:promote")
    assert refused.status == 1
    assert "share no history" in refused.errors
    assert "--force promotes all the same" in refused.errors
    assert two.type("pipelines:promote --force").status == 0


def test_slug_that_is_not_on_this_machine_any_more_cannot_be_promoted(two: Machine) -> None:
    two.live(STAGING, key="newer", image=ImageDigest("sha256:" + "7" * 64))
    slug = f"pushdeploy-{two.engine.instance}/slug"
    two.engine.remove_image(f"{slug}:new")
    former = two.type("pipelines:promote shop-staging --release v1")
    assert "v1 of shop-staging has expired" in former.errors
    assert "releases shop-staging shows the releases that are left" in former.errors
    two.engine.remove_image(f"{slug}:newer")
    live = two.type("pipelines:promote shop-staging")
    assert "v2 of shop-staging has expired" in live.errors
    assert "ps:rebuild shop-staging" in live.errors
    assert (former.status, live.status, len(two.store.releases.list(SHOP))) == (1, 1, 1)


def test_failed_release_cannot_be_promoted(two: Machine) -> None:
    two.scheduler.broken = {WEB}
    two.type("config:set shop-staging A=1")
    two.scheduler.broken = set()
    answer = two.type("pipelines:promote shop-staging --release v2")
    assert answer.status == 1
    assert "v2 of shop-staging was never live: it is failed" in answer.errors


def test_locked_target_refuses_all_of_a_promotion_with_who_when_and_why(three: Machine) -> None:
    three.type("apps:lock shop-eu until the fair ends")
    answer = three.type("pipelines:promote")
    assert answer.status == 75
    assert "shop-eu was locked by ada at 20" in answer.errors
    assert "UTC: until the fair ends" in answer.errors
    assert "apps:unlock shop-eu" in answer.errors
    assert len(three.store.releases.list(SHOP)) == 1


def test_lock_of_the_source_does_not_keep_it_from_being_promoted(two: Machine) -> None:
    two.type("apps:lock shop-staging")
    purpose = Purpose("deploy of abc1234", "bob")
    with two.context.locks.apps.hold(STAGING, purpose, Quiet(), Cancellation()):
        assert two.type("pipelines:promote").status == 0


def test_lock_that_comes_while_a_promotion_waits_is_heeded(two: Machine) -> None:
    client = Listener(b"waiting: deploy of")
    purpose = Purpose("deploy of abc1234", "bob")
    with two.context.locks.apps.hold(SHOP, purpose, Quiet(), Cancellation()):
        promotion = Thread(target=two.type_as, args=[client, "pipelines:promote"], daemon=True)
        promotion.start()
        assert client.told.wait(20), client.out.decode()
        two.type("apps:lock shop no more")
    promotion.join(20)
    assert b"shop was locked by ada" in client.errors
    assert len(two.store.releases.list(SHOP)) == 1


def test_slug_that_goes_while_a_promotion_waits_is_missed(two: Machine) -> None:
    client = Listener(b"waiting: deploy of")
    purpose = Purpose("deploy of abc1234", "bob")
    with two.context.locks.apps.hold(SHOP, purpose, Quiet(), Cancellation()):
        promotion = Thread(target=two.type_as, args=[client, "pipelines:promote"], daemon=True)
        promotion.start()
        assert client.told.wait(20), client.out.decode()
        two.engine.remove_image(f"pushdeploy-{two.engine.instance}/slug:new")
    promotion.join(20)
    assert b"v1 of shop-staging has expired" in client.errors
    assert len(two.store.releases.list(SHOP)) == 1


def test_app_without_a_live_release_has_nothing_to_promote(machine: Machine) -> None:
    for name in (SHOP, STAGING):
        machine.store.apps.create(name)
    machine.type("pipelines:create main shop-staging shop")
    answer = machine.type("pipelines:promote shop-staging")
    assert "shop-staging has no live release to promote" in answer.errors


def test_a_promotion_into_a_locked_app_is_refused(machine: Machine) -> None:
    machine.live(SHOP)
    machine.live(STORE)
    machine.type("apps:lock store")
    client = Client()
    asker = Asker(ADA, Quiet(), client.cancellation)
    promotion = Promotion(SHOP, [STORE], None, Mode.INDEPENDENT, force=True)
    with pytest.raises(Exception, match="store was locked by ada"):
        machine.context.flow.promoter.promote(promotion, asker)
