"""The life of a command line: quoting, flags before it, unknown words, access, help, audit."""

import sqlite3

import pytest

from pushdeploy.commands.face.audited_lines import audited_line
from pushdeploy.commands.face.command_line import Line, parse_line, split_words
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import KeyName
from tests.unit.commands.machine import SHOP, Client, Machine


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("apps:list", Line("apps:list")),
        ("dokku apps:list", Line("apps:list")),
        ("-- apps:list", Line("apps:list")),
        ("-- dokku -- apps:list", Line("apps:list")),
        ("dokku dokku", Line("dokku")),
        ("--app shop logs -t", Line("logs", "-t", "shop")),
        ("-- -a shop logs", Line("logs", "", "shop")),
        ("--app=shop logs", Line("logs", "", "shop")),
        ("-- --force apps:destroy shop", Line("apps:destroy", "shop", force=True)),
        ("--quiet --trace apps:list", Line("apps:list")),
        ("", Line("help", "--short")),
        ("   ", Line("help", "--short")),
        ("dokku", Line("help", "--short")),
        ("--help", Line("help")),
        ("--version", Line("version")),
        ("apps:help", Line("help", "apps")),
        ("apps:help now", Line("help", "apps")),
        ("run shop  'echo $X' | rev", Line("run", "shop  'echo $X' | rev")),
        ("run shop echo it's", Line("run", "shop echo it's")),
    ],
)
def test_a_line_is_taken_apart_once(text: str, expected: Line) -> None:
    assert parse_line(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("shop A='a  b' B=\"$C\"", ["shop", "A=a  b", "B=$C"]),
        ("shop 'A=1\n2'", ["shop", "A=1\n2"]),
        ("shop sh -c 'it''s' # no comment", ["shop", "sh", "-c", "its", "#", "no", "comment"]),
        ("shop ''", ["shop", ""]),
    ],
)
def test_quotes_are_resolved_exactly_once(text: str, expected: list[str]) -> None:
    assert [word for word, _ in split_words(text)] == expected


def test_what_follows_a_word_is_as_it_was_typed() -> None:
    assert list(split_words("'a b'  c\t\"d\"")) == [
        ("a b", ' c\t"d"'),
        ("c", '"d"'),
        ("d", ""),
    ]


def test_quotes_that_do_not_match_are_an_error_with_the_remedy(machine: Machine) -> None:
    answer = machine.type("config:set shop A='b")
    assert answer.status == 1
    assert "quotes of the command line do not match" in answer.errors


def test_an_unknown_flag_before_the_command_is_refused() -> None:
    with pytest.raises(UserError, match="--wat is not known before a command"):
        parse_line("--wat apps:list")


def test_nothing_typed_shows_the_first_things_to_know(machine: Machine) -> None:
    answer = machine.type("")
    assert answer.status == 0
    assert "git push deploy main" in answer.out
    assert len(answer.out.splitlines()) < 10


def test_an_unknown_command_names_those_that_may_be_meant(machine: Machine) -> None:
    answer = machine.type("app:create shop")
    assert (answer.status, answer.out) == (1, "")
    assert answer.errors.startswith(" !     there is no command app:create\n")
    assert "did you mean apps:create" in answer.errors


def test_an_unknown_app_ends_with_20_and_names_those_that_may_be_meant(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    answer = machine.type("ps shopp")
    assert answer.status == 20
    assert answer.errors.startswith(" !     app shopp does not exist\n")
    assert "did you mean shop?" in answer.errors


def test_a_name_that_no_app_can_have_is_an_unknown_app(machine: Machine) -> None:
    assert machine.type("ps ../../etc").status == 20


@pytest.mark.parametrize("line", ["ps:scale", "ps", "releases shop -n many", "ps shop --nope"])
def test_a_line_that_cannot_be_understood_shows_an_example(machine: Machine, line: str) -> None:
    machine.store.apps.create(SHOP)
    answer = machine.type(line)
    assert (answer.status, answer.out) == (1, "")
    assert "for example: " in answer.errors
    assert all(each.startswith(" !     ") for each in answer.errors.splitlines())


def test_flags_may_stand_anywhere_after_the_command(machine: Machine) -> None:
    machine.live()
    expected = machine.type("releases shop --format json").json
    assert machine.type("releases --format json shop").json == expected
    assert machine.type("--app shop releases --format=json").json == expected


@pytest.mark.parametrize(
    "line",
    [
        "config:set -a shop A=1",
        "config:set A=1 --app shop",
        "config:set A=1 --app=shop --no-restart",
        "--app shop config:set shop A=1",
        "--app shop config:set A=1 -a shop",
        "config:set -a shop -- A=1",
    ],
)
def test_an_app_may_be_named_by_a_flag_on_either_side_and_as_a_word_too(
    machine: Machine, line: str
) -> None:
    machine.store.apps.create(SHOP)
    assert machine.type(line).errors == ""
    assert machine.store.config.get(SHOP) == {"A": "1"}


def test_a_client_of_dokku_names_the_new_app_twice(machine: Machine) -> None:
    assert machine.type("--app shop apps:create shop").status == 0
    assert machine.type("--app shop apps:exists shop").status == 0
    assert machine.type("--app shop apps:destroy shop --force").status == 0
    assert machine.store.apps.find(SHOP) is None


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("-a shop config:set -a store A=1", "two apps are named: shop and store"),
        ("config:set A=1 -a", "-a names no app"),
        ("config:set A=1 --app=", "--app names no app"),
    ],
)
def test_an_app_that_is_not_clear_is_an_error(machine: Machine, line: str, problem: str) -> None:
    machine.store.apps.create(SHOP)
    answer = machine.type(line)
    assert (answer.status, problem in answer.errors) == (1, True)


def test_flags_of_the_command_that_run_is_given_stay_its_own(machine: Machine) -> None:
    machine.live()
    machine.type("run -a shop --rm tar -a --app x")
    assert machine.scheduler.once[0].command == "tar -a --app x"


@pytest.mark.parametrize("flags", ["--force", "--confirm shop", "--force --confirm=shop"])
def test_what_removes_takes_the_words_of_other_clients(machine: Machine, flags: str) -> None:
    machine.store.apps.create(SHOP)
    machine.type("config:set shop A=1")
    assert machine.type(f"config:unset shop A {flags}").status == 0
    assert machine.store.config.get(SHOP) == {}


def test_what_removes_wants_the_app_that_is_confirmed(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    machine.type("config:set shop A=1")
    answer = machine.type("config:unset shop A --confirm store")
    assert (answer.status, "'store' is not shop" in answer.errors) == (1, True)
    assert machine.store.config.get(SHOP) == {"A": "1"}


def test_an_app_before_a_command_that_takes_none_is_left_out(machine: Machine) -> None:
    assert machine.type("--app shop keys:list").status == 0


def test_force_before_the_command_reaches_it_as_dokku_clients_expect(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    assert machine.type("-- --force apps:destroy shop").status == 0
    assert machine.store.apps.find(SHOP) is None


@pytest.mark.parametrize("line", ["config:set --help", "help config:set", "config:set shop -h"])
def test_help_of_a_command_goes_to_the_client_with_an_example(
    machine: Machine, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    answer = machine.type(line)
    assert answer.status == 0
    assert answer.out.startswith("Usage: config:set")
    assert "ssh deploy config:set shop" in answer.out
    assert (answer.errors, capsys.readouterr().out) == ("", "")


@pytest.mark.parametrize("line", ["help apps", "apps:help"])
def test_help_of_a_noun_lists_its_commands(machine: Machine, line: str) -> None:
    out = machine.type(line).out
    assert "apps:create NAME" in out
    assert "config:set" not in out


def test_help_groups_commands_by_noun_and_breaks_no_word_at_80_columns(machine: Machine) -> None:
    lines = machine.type("help").out.splitlines()
    assert max(map(len, lines)) <= 80
    assert lines.index("apps") < lines.index("config") < lines.index("more")
    words = " ".join(lines).split()
    for command in machine.commands.catalogue.commands:
        assert set(command.get_short_help_str(200).split()) <= set(words), command.name


def test_help_lists_every_command_of_every_file(machine: Machine) -> None:
    out = machine.type("help").out
    for command in machine.commands.catalogue.commands:
        assert any(line.split()[:1] == [command.name] for line in out.splitlines())


def test_help_of_nothing_known_is_an_error(machine: Machine) -> None:
    assert machine.type("help nonsense").status == 1


def test_a_key_that_was_removed_meanwhile_may_nothing(machine: Machine) -> None:
    answer = machine.type("whoami", by=KeyName("mallory"))
    assert (answer.status, answer.out) == (1, "")
    assert "may not use this server any more" in answer.errors


def test_every_command_says_what_the_gate_asks_for(machine: Machine) -> None:
    needs: dict[str, set[str]] = {}
    for command in machine.commands.catalogue.commands:
        needs.setdefault(command.needs, set()).add(command.name or "")
        assert command.needs != "read" or not command.audited
    assert needs["anyone"] == {"help", "version", "whoami"}
    assert needs["admin"] == {"audit", "keys:add", "keys:remove"}
    assert {"apps:list", "logs", "releases"} <= needs["read"]
    assert {"apps:create", "config:get", "config:set", "run"} <= needs["change"]


def test_what_changes_something_is_audited_and_what_reads_is_not(machine: Machine) -> None:
    machine.type("apps:create shop")
    machine.type("apps:create shop")
    machine.type("apps:list")
    machine.type("apps:create --help")
    assert machine.audited() == [("apps:create shop", 0), ("apps:create shop", 1)]


def test_a_failure_is_not_told_together_with_the_audit_logs_own_regression(
    machine: Machine,
) -> None:
    with sqlite3.connect(machine.home / "pushdeploy.sqlite3") as database:
        database.execute("DROP TABLE audit")
    database.close()

    done, failed = machine.type("apps:create shop"), machine.type("apps:create shop")

    assert done.status == 0
    assert "not in the audit log" in done.errors
    assert failed.status == 1
    assert "audit" not in failed.errors


def test_a_config_value_never_reaches_the_audit_log(machine: Machine) -> None:
    machine.type("apps:create shop")
    machine.type("config:set shop TOKEN='s3cret\nand more' B=s3cret")
    machine.type("run -e TOKEN=s3cret shop --no-tty env")
    lines = [line for line, _ in machine.audited()]
    assert "config:set shop 'TOKEN=…' 'B=…'" in lines
    assert "s3cret" not in " ".join(lines)


def test_values_that_are_no_secrets_are_audited() -> None:
    assert audited_line("ps:scale", ["shop", "web=2"], plain_values=True) == "ps:scale shop web=2"


def test_a_client_that_has_gone_is_a_cancelled_command(machine: Machine) -> None:
    machine.live()
    client = Client()
    client.cancellation.cancel("the client went away")
    assert machine.type_as(client, "ps:restart shop").status == 130


def test_text_that_is_no_utf_8_does_not_break_the_answer(machine: Machine) -> None:
    assert machine.type("wat\udc80").status == 1
