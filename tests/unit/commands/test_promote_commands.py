"""pipelines:promote: what is printed where, and what is refused."""

from threading import Thread

import pytest

from pushdeploy.domain.cancel import Cancellation
from pushdeploy.locks.apps import Purpose
from pushdeploy.output import Quiet
from tests.unit.commands.machine import SHOP, Machine
from tests.unit.commands.stages import EU, Listener


def test_json_of_promote_is_one_document_and_the_rest_is_on_stderr(two: Machine) -> None:
    answer = two.type("pipelines:promote shop-staging --format json")
    assert answer.json == {
        "source": "shop-staging",
        "succeeded": True,
        "targets": [
            {
                "app": "shop",
                "outcome": "succeeded",
                "release": "v2",
                "version": 2,
                "error": "",
            }
        ],
    }
    assert "=====> Release v2 of shop" in answer.errors


@pytest.mark.parametrize(
    ("line", "reason", "status"),
    [
        ("pipelines:promote shop", "nothing comes after shop: production is the last stage", 1),
        ("pipelines:promote shop-staging --to shop-staging", "cannot be promoted to itself", 1),
        ("pipelines:promote shop-staging --release v9", "no release v9", 1),
        ("pipelines:promote shop-staging --to ''", "--to names no app", 1),
        ("pipelines:promote shop-staging --to ,", "--to names no app", 1),
        ("pipelines:promote nobody", "app nobody does not exist", 20),
        ("pipelines:promote --one-by-one --all-or-nothing", "exclude each other", 1),
        ("pipelines:promote shop-staging --release one", "'one' is not a release", 1),
    ],
)
def test_what_cannot_be_promoted_is_refused_with_the_reason(
    two: Machine, line: str, reason: str, status: int
) -> None:
    answer = two.type(line)
    assert (answer.status, len(two.store.releases.list(SHOP))) == (status, 1)
    assert reason in answer.errors


def test_trouble_of_several_targets_is_on_stderr_and_names_the_target(three: Machine) -> None:
    three.scheduler.broken_apps = {SHOP}
    answer = three.type("pipelines:promote")
    assert "[shop]     !     web.1 did not start" in answer.errors
    assert "[shop]     !         no module named shop" in answer.errors
    assert " !  " not in answer.out
    assert "[shop-eu] =====> shop-eu v2 is live" in answer.out


def test_waits_of_all_or_nothing_name_the_target(three: Machine) -> None:
    client = Listener(b"[shop-eu]        waiting: deploy of abc1234 by bob since ")
    purpose = Purpose("deploy of abc1234", "bob")
    with three.context.locks.apps.hold(EU, purpose, Quiet(), Cancellation()):
        line = "pipelines:promote --all-or-nothing"
        promotion = Thread(target=three.type_as, args=[client, line], daemon=True)
        promotion.start()
        assert client.told.wait(20), client.out.decode()
        client.cancellation.cancel("Ctrl-C")
        promotion.join(20)
    assert b"cancelled: Ctrl-C" in client.errors
    assert [len(three.store.releases.list(app)) for app in (SHOP, EU)] == [1, 1]
