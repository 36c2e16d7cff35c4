"""maintenance: an app is closed with a page, and opened again."""

from tests.unit.commands.machine import SHOP, Machine, refused


def test_an_app_is_closed_with_a_page_of_its_own_and_opened_again(machine: Machine) -> None:
    machine.live()
    answer = machine.type("maintenance:on shop --allow 203.0.113.7 --allow fd00::/8", b"<p>soon")
    assert answer.status == 0
    assert "the app's own page" in answer.out
    closed = machine.router.table[SHOP].site.rules.maintenance
    assert closed is not None
    assert closed.page == "<p>soon"
    shown = machine.type("maintenance -a shop --format json").json
    assert shown == {
        "maintenance": True,
        "page": "the app's own page",
        "allowed": ["203.0.113.7", "fd00::/8"],
    }
    assert machine.type("maintenance:off shop").out == "shop is open again\n"
    assert machine.router.table[SHOP].site.rules.maintenance is None
    assert machine.type("maintenance:off shop").out == "shop is open\n"


def test_without_anything_on_standard_input_the_page_stays(machine: Machine) -> None:
    machine.live()
    assert "the server's page" in machine.type("maintenance:on -a shop").out
    machine.type("maintenance:on shop -", b"<p>soon")
    assert "the app's own page" in machine.type("maintenance:on shop --allow 10.0.0.1").out
    assert "the app's own page" in machine.type("maintenance:on shop", terminal="xterm").out


def test_what_makes_no_sense_closes_nothing(machine: Machine) -> None:
    machine.live()
    for line, typed, why in (
        ("maintenance:on shop --allow me", b"", "no address and no network"),
        ("maintenance:on shop --allow 10.0.0.1/8", b"", "within a network"),
        ("maintenance:on shop page.html", b"", "is a file of yours"),
        ("maintenance:on shop", b"\xff", "not UTF-8"),
        ("maintenance:on shop", b"x" * 200_000, "larger than"),
    ):
        assert refused(machine.type(line, typed), why), line
    assert machine.store.apps.get(SHOP).front.maintenance is None
