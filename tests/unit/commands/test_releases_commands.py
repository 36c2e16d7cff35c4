"""releases: the ledger as people and programs read it."""

from pushdeploy.domain.release import Candidate, Reason, ReleaseStatus
from tests.unit.commands.machine import ADA, SHOP, WEB, Machine, slug_of


def test_rows_of_json_tell_everything_of_a_release(machine: Machine) -> None:
    machine.live()
    machine.type("config:set shop A=1")
    newest, oldest = machine.type("releases shop --format json").json
    assert [newest["version"], oldest["version"]] == [2, 1]
    assert newest == {
        "release": "v2",
        "version": 2,
        "status": "live",
        "current": True,
        "expired": False,
        "reason": "config",
        "description": "Set A",
        "commit": slug_of().commit,
        "slug": slug_of().image,
        "by": "ada",
        "created_at": newest["created_at"],
        "live_at": newest["live_at"],
        "error": "",
    }
    assert newest["created_at"].endswith("+00:00")
    assert oldest["status"] == "retired"


def test_the_list_is_newest_first_and_limited(machine: Machine) -> None:
    machine.live()
    for number in range(3):
        machine.type(f"config:set shop A={number}")
    out = machine.type("releases shop -n 2").out.splitlines()
    assert [line.split()[0] for line in out] == ["v4", "v3"]
    assert "ada" in out[0]


def test_info_shows_names_of_config_and_what_changed_but_no_value(machine: Machine) -> None:
    machine.live()
    machine.type("config:set shop A=s3cret B=s3cret")
    machine.scheduler.broken = {WEB}
    machine.type("config:set shop D=failed")
    machine.scheduler.broken = set()
    machine.type("config:set shop A=s3cret2 C=s3cret")
    answer = machine.type("releases:info shop --format json")
    info = answer.json
    assert info["version"] == 4
    assert info["config_keys"] == ["A", "B", "C"]
    assert (info["config_added"], info["config_changed"], info["config_removed"]) == (
        ["C"],
        ["A"],
        [],
    )
    assert [step["name"] for step in info["steps"]]
    text = machine.type("releases:info shop v4").out
    assert "s3cret" not in answer.out + text


def test_a_failed_release_says_why(machine: Machine) -> None:
    machine.live()
    machine.scheduler.broken = {WEB}
    machine.type("config:set shop A=1")
    row = machine.type("releases shop --format json").json[0]
    assert (row["status"], row["error"], row["current"]) == ("failed", "web.1 did not start", False)


def test_output_of_a_release_is_kept(machine: Machine) -> None:
    machine.live()
    machine.type("config:set shop A=1")
    lines = machine.type("releases:output shop 2").out.splitlines()
    assert lines[0].startswith("=====> Release v2 of shop")
    assert machine.type("releases:output shop v2 --format json").json == {
        "version": 2,
        "lines": lines,
    }


def test_output_of_a_release_that_is_going_on_says_so(machine: Machine) -> None:
    machine.live()
    again = Candidate(SHOP, slug_of(), {}, [], Reason.DEPLOY, "Deploy", ADA)
    made = machine.store.releases.create(again)
    machine.store.releases.set_status(SHOP, made.version, ReleaseStatus.RELEASING)
    assert "v2 is still releasing" in machine.type("releases:output shop").errors


def test_a_release_that_is_not_there_is_an_error(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    for line in ("releases:info shop", "releases:info shop v9", "releases:output shop vx"):
        assert machine.type(line).status == 1
    assert machine.type("releases shop --format json").json == []
