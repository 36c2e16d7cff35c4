"""config: values arrive as they were quoted, come back as they are, and never leak."""

import base64
import json
import shlex
import subprocess

import pytest

from pushdeploy.commands.config import exported
from tests.unit.commands.machine import SHOP, Machine

AWKWARD = {
    "SPACES": "two  words ",
    "QUOTES": """it's "quoted" """,
    "DOLLAR": "$HOME `id` $(id) \\n \\",
    "LINES": "one\ntwo\n",
    "EMPTY": "",
    "EQUALS": "a=b=c",
    "TEXT": "grün ✓",
}


def words_of(config: dict[str, str]) -> str:
    return shlex.join(f"{key}={value}" for key, value in config.items())


def test_every_value_survives_set_and_get(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    assert machine.type(f"config:set shop {words_of(AWKWARD)}").status == 0
    for key, value in AWKWARD.items():
        assert machine.type(f"config:get shop {key}").out == f"{value}\n"
    assert machine.type("config:show shop --format json").json == AWKWARD


def test_encoded_values_are_safe_from_every_shell(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    text = base64.b64encode(AWKWARD["DOLLAR"].encode()).decode()
    machine.type(f"config:set shop --encoded A={text}")
    assert machine.store.config.get(SHOP) == {"A": AWKWARD["DOLLAR"]}
    answer = machine.type("config:set --encoded shop A=s3cret!")
    assert answer.status == 1
    assert "s3cret" not in answer.errors


def test_of_a_key_that_stands_twice_the_last_value_wins(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    assert machine.type("config:set shop A=1 B=2 A=3").status == 0
    assert machine.store.config.get(SHOP) == {"A": "3", "B": "2"}


def test_a_file_is_imported_as_one_release(machine: Machine) -> None:
    machine.live()
    machine.type("config:set shop OLD=1 A=0")
    given = b"# of the laptop\nexport A='one\ntwo'\nB=2\n"
    assert machine.type("config:import shop", given).status == 0
    assert machine.store.config.get(SHOP) == {"OLD": "1", "A": "one\ntwo", "B": "2"}
    assert machine.type("config:import shop - --replace", given).status == 0
    assert machine.store.config.get(SHOP) == {"A": "one\ntwo", "B": "2"}
    latest = machine.store.releases.latest(SHOP)
    assert latest
    assert latest.version == 4


@pytest.mark.parametrize("given", [b"", b"A=1\ns3cret\n", b"A=1\nAPP=s3cret\n", b"A-B=s3cret\n"])
def test_a_file_that_cannot_be_imported_changes_nothing(machine: Machine, given: bytes) -> None:
    machine.store.apps.create(SHOP)
    machine.type("config:set shop OLD=1")
    answer = machine.type("config:import shop --replace", given)
    assert answer.status == 1
    assert "s3cret" not in answer.errors
    assert machine.store.config.get(SHOP) == {"OLD": "1"}


def test_a_file_of_the_client_is_no_name_for_the_server(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    answer = machine.type("config:import shop .env")
    assert answer.status == 1
    assert "ssh deploy config:import shop < .env" in answer.errors


@pytest.mark.parametrize("word", ["A", "1A=x", "A-B=x", "=x", "APP=x", "DISK_PATH_DATA=x"])
def test_a_word_that_is_no_var_is_refused_without_showing_a_value(
    machine: Machine, word: str
) -> None:
    machine.store.apps.create(SHOP)
    answer = machine.type(f"config:set shop B=s3cret {word}")
    assert answer.status == 1
    assert "s3cret" not in answer.errors
    assert machine.store.config.get(SHOP) == {}


def test_a_value_whose_quotes_the_shell_took_is_explained_and_left_out_of_the_log(
    machine: Machine,
) -> None:
    machine.store.apps.create(SHOP)
    answer = machine.type("config:set shop MOTTO=two words")
    assert answer.status == 1
    assert "takes one pair of quotes off" in answer.errors
    assert machine.audited() == [("config:set …", 1)]


def test_a_var_that_is_not_there_is_an_error(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    answer = machine.type("config:get shop A")
    assert (answer.status, answer.out) == (1, "")


def test_show_keeps_one_line_a_var(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    machine.store.config.replace(SHOP, {"LONG_NAME": "1", "B": "one\ntwo"})
    assert machine.type("config shop").out == "B:          one\\ntwo\nLONG_NAME:  1\n"
    assert machine.type("config:keys shop").out == "B\nLONG_NAME\n"


def test_a_shell_reads_back_what_was_exported() -> None:
    script = "\n".join(exported(AWKWARD, "shell"))
    names = " ".join(AWKWARD)
    printed = subprocess.run(
        [
            "sh",
            "-c",
            f'{script}\nfor name in {names}; do eval "printf \'%s\\\\0\' \\"\\$$name\\""; done',
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed.split("\0")[:-1] == list(AWKWARD.values())


def test_env_lines_are_one_a_var_and_quoted() -> None:
    assert exported({"A": 'x "$y"\nz'}, "env") == ['A="x \\"\\$y\\"\\nz"']


def test_export_as_json_is_an_object(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    machine.store.config.replace(SHOP, AWKWARD)
    assert json.loads(machine.type("config:export shop --format json").out) == AWKWARD


@pytest.mark.parametrize(
    ("habit", "command"),
    [
        ("config shop --export", "config:export shop"),
        ("config --export shop --merged", "config:export shop --merged"),
        ("--app shop config --export", "config:export shop"),
        ("config --global --export", "config:export --global"),
        ("config shop --export --format json", "config:export shop --format json"),
        ("config -s -a shop", "config:export shop --format env"),
        ("config shop --shell", "config:export shop --format env"),
    ],
)
def test_old_spellings_of_an_export_are_one(machine: Machine, habit: str, command: str) -> None:
    machine.live()
    machine.store.config.replace(SHOP, AWKWARD)
    machine.type("config:set --global REGION=north")
    typed, meant = machine.type(habit), machine.type(command)
    assert (typed.status, typed.errors) == (0, "")
    assert typed.out == meant.out != ""


def test_reserved_names_cannot_be_staged_either(machine: Machine) -> None:
    machine.live()
    assert machine.type("config:set shop STAGE=x --no-restart").status == 1
    assert machine.store.config.get(SHOP) == {}
