"""access, auth, redirects, limits, error-pages and front:show, typed."""

import pytest

from pushdeploy.domain.front.rules import FrontRules
from pushdeploy.domain.names import AppName
from tests.unit.commands.machine import SHOP, Machine, refused


def rules(machine: Machine) -> FrontRules:
    found = machine.router.table[SHOP].site.rules
    assert found == machine.store.apps.get(SHOP).front
    return found


def test_the_last_verdict_of_a_network_holds(machine: Machine) -> None:
    machine.live()
    machine.type("access:deny shop 198.51.100.7 10.0.0.0/8")
    assert machine.type("access:report shop --format json").json[-1]["verdict"] == "allow"
    answer = machine.type("access:allow shop 10.0.0.0/8")
    assert answer.out.splitlines() == [
        "allow  10.0.0.0/8",
        "deny  198.51.100.7",
        "deny  all others",
    ]
    machine.type("access:remove shop 10.0.0.0/8 198.51.100.7 192.0.2.1")
    assert rules(machine) == FrontRules()


def test_passwords_come_from_standard_input_and_stand_nowhere(machine: Machine) -> None:
    machine.live()
    assert machine.type("auth:set shop ada", b"s3cret-word\n").status == 0
    answer = machine.type("auth:set shop bob --path /admin/", b"other-word\r", terminal="xterm")
    assert (answer.status, "other-word" in answer.out) == (0, False)
    shown = machine.type("auth:report shop --format json").json
    assert shown == [{"path": "/", "users": ["ada"]}, {"path": "/admin", "users": ["bob"]}]
    assert refused(machine.type("auth:set shop ada s3cret-word"), "unexpected extra argument")
    machine.type("auth:unset shop ada s3cret-word")
    everything = [machine.type(line).out for line in ("auth:report shop", "front:show shop")]
    everything += [command for command, _ in machine.audited()]
    everything += [repr(machine.store.apps.get(SHOP)), repr(machine.store.apps.get(SHOP).front)]
    assert not any("-word" in text or "$2b$" in text for text in everything)
    assert refused(machine.type("auth:unset shop eve"), "eve has no password for /")
    machine.type("auth:unset shop bob --path /admin")
    assert "no password" in machine.type("auth:unset shop ada").out
    assert rules(machine) == FrontRules()


@pytest.mark.parametrize(
    "line",
    [
        *(
            "auth:set shop a:b",
            "auth:set shop ada --path admin",
            "auth:set shop ada --path /a/../b",
        ),
        *(
            "auth:set shop '#x'",
            "auth:set shop ada --path '/a b'",
            "auth:set shop ada --path '/a?b'",
        ),
        *("access:allow shop me", "access:deny shop 10.0.0.1/8", "redirects:add shop old /new"),
        *("redirects:add shop /old new", "redirects:add shop /old //evil.example.com"),
        *("redirects:add shop /old javascript:alert", "redirects:add shop '/*x' /new"),
        *("redirects:add shop '/old*' '/*'", "redirects:add shop '/o/*' 'https://a.example.com*'"),
        *(
            "redirects:add shop /a /a",
            "redirects:add shop '/*' /new",
            "redirects:add shop /old '/x*'",
        ),
        *("redirects:add shop '/a/*' '/a/b/*'", "redirects:add shop /a http://shop.apps.test/a"),
        *(
            "redirects:add shop /.pushdeploy/x /a",
            "limits:set shop requests=0",
            "limits:set shop x=1",
        ),
        *("limits:set shop burst=5", "limits:set shop requests=many", "error-pages:set shop 200"),
        *("error-pages:unset shop 502", "redirects:remove shop /old"),
    ],
)
def test_what_makes_no_sense_changes_nothing(machine: Machine, line: str) -> None:
    machine.live()
    answer = machine.type(line, b"text")
    assert (answer.status, bool(answer.errors)) == (1, True)
    assert rules(machine) == FrontRules()


@pytest.mark.parametrize("password", [b"", b"\n", b"x" * 73, b"a\0b", b"a\nb", b"\xff"])
def test_what_no_visitor_could_type_is_no_password(machine: Machine, password: bytes) -> None:
    machine.live()
    assert machine.type("auth:set shop ada", password).status == 1
    assert rules(machine) == FrontRules()


def test_redirects_that_go_round_are_refused_and_others_are_looked_at_in_turn(
    machine: Machine,
) -> None:
    machine.live()
    for line in ("/b /c", "'/x/*' '/y/*'", "/a /b --code 301", "'/x/long/*' /b", "/b /d"):
        assert machine.type(f"redirects:add shop {line}").status == 0
    sources = [row["source"] for row in machine.type("redirects shop --format json").json]
    assert sources == ["/a", "/b", "/x/long/*", "/x/*"]
    for line in ("/d /a", "'/y/*' '/x/*'"):
        assert refused(machine.type(f"redirects:add shop {line}"), "round and round")
    machine.type("redirects:remove shop '/x/*'")
    assert len(rules(machine).redirects) == 3


def test_the_whole_front_is_shown_and_copied(machine: Machine) -> None:
    machine.live()
    machine.type("limits:set shop requests=10 burst=5 connections=7")
    machine.type("limits:set shop burst= connections=3")
    machine.type("error-pages:set shop 502", b"<p>sorry")
    machine.type("auth:set shop ada", b"word")
    machine.type("maintenance:on shop --allow 10.0.0.1")
    machine.type("domains:add shop b\u00fccher.example.com")
    shown = machine.type("front:show shop --format json").json
    assert shown["hosts"] == ["shop.apps.test", "xn--bcher-kva.example.com"]
    assert shown["limits"] == {"requests": 10, "burst": None, "connections": 3}
    assert (shown["state"], shown["error_pages"]) == ("maintenance", [502])
    assert shown["settings"]["read-timeout"] == "1m"
    text = machine.type("front shop").out
    assert "xn--bcher-kva.example.com (b\u00fccher.example.com)" in text
    machine.type("apps:clone shop copy --skip-deploy")
    copy = machine.store.apps.get(AppName("copy")).front
    assert (copy.maintenance, copy.passwords) == (None, rules(machine).passwords)
    assert machine.store.apps.get(SHOP).front == rules(machine)
