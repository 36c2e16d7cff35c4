"""The program: keys, errors, settings and help, as the machine's owner meets them."""

import json
import subprocess
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from pushdeploy.cli import main
from pushdeploy.domain.errors import UserError
from pushdeploy.settings import load_settings


def call(*words: str, given: str = "") -> Result:
    return CliRunner().invoke(main, list(words), input=given)


@pytest.fixture
def home(tmp_path: Path) -> str:
    path = str(tmp_path / "home")
    assert call("init", "--home", path).exit_code == 0
    return path


@pytest.fixture
def public_key(tmp_path: Path) -> str:
    path = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return path.with_suffix(".pub").read_text()


def test_a_key_is_added_listed_and_removed(home: str, public_key: str) -> None:
    assert call("keys:add", "anna", "--home", home, given=public_key).exit_code == 0
    rows = json.loads(call("keys:list", "--home", home, "--format", "json").output)
    assert [row["name"] for row in rows] == ["anna"]
    assert rows[0]["fingerprint"].startswith("SHA256:")
    removed = call("keys:remove", "anna", "--home", home)
    assert removed.exit_code == 0
    assert "that was the last key" in removed.stderr
    assert call("keys:list", "--home", home).output == ""


def test_a_line_that_is_no_key_is_refused_without_a_traceback(home: str) -> None:
    result = call("keys:add", "anna", "--home", home, given="hello\n")
    assert result.exit_code == 1
    assert result.stderr.startswith(" !     ")
    assert "Traceback" not in result.output


def test_a_key_in_another_form_and_a_second_one_are_told(
    home: str, tmp_path: Path, public_key: str
) -> None:
    convert = ["ssh-keygen", "-e", "-m", "RFC4716", "-f", str(tmp_path / "key.pub")]
    block = subprocess.run(convert, check=True, capture_output=True, text=True).stdout
    other = ["ssh-keygen", "-q", "-t", "rsa", "-N", "", "-f", str(tmp_path / "other")]
    subprocess.run(other, check=True)
    both = f"{block}\nno-pty {(tmp_path / 'other.pub').read_text()}"
    said = call("keys:add", "anna", "--home", home, given=both)
    assert said.exit_code == 0
    assert [line.split()[0] for line in said.output.splitlines()] == ["anna", "anna-2", "its"]
    assert "still there: anna-2" in call("keys:remove", "anna", "--home", home).output
    assert call("keys:add", "bob", "--home", home, given=public_key).exit_code == 0


def test_keys_need_a_home_and_the_error_says_how_to_make_one(tmp_path: Path) -> None:
    result = call("keys:list", "--home", str(tmp_path / "nowhere"))
    assert result.exit_code == 1
    assert f"pushdeploy init --home {tmp_path}/nowhere" in result.stderr


def test_removing_a_key_that_is_not_there_fails(home: str) -> None:
    assert call("keys:remove", "nobody", "--home", home).exit_code == 1


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUSHDEPLOY_SSH", "127.0.0.1:2299")
    assert load_settings().ssh.port == 2299


def test_the_settings_file_of_the_home_option_is_read(tmp_path: Path) -> None:
    (tmp_path / "pushdeploy.toml").write_text('domain = "apps.example.com"\n')
    assert load_settings(home=tmp_path).domain == "apps.example.com"


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUSHDEPLOY_MAX_STARTUPS", "many")
    with pytest.raises(UserError, match="PUSHDEPLOY_MAX_STARTUPS"):
        load_settings()
    result = call("keys:list")
    assert result.exit_code == 1
    assert "PUSHDEPLOY_MAX_STARTUPS" in result.stderr


@pytest.mark.parametrize("name", sorted(main.commands))
def test_the_help_of_every_command_shows_an_example(name: str) -> None:
    result = call(name, "--help")
    assert result.exit_code == 0
    assert f"pushdeploy {name}" in result.output.partition("Example:")[2]


def test_every_parameter_has_its_words_in_the_help() -> None:
    options = [
        parameter
        for command in main.commands.values()
        for parameter in command.params
        if isinstance(parameter, click.Option)
    ]
    assert [option.name for option in options if not option.help] == []
