"""Settings: where they come from, which wins, and what is said of a wrong one."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pushdeploy.domain.errors import UserError
from pushdeploy.founding import settings_text
from pushdeploy.settings import DEFAULT_HOME, Address, load_settings, lost_settings


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home that the environment names, and nothing else of ours in the environment."""
    for name in [name for name in os.environ if name.startswith("PUSHDEPLOY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PUSHDEPLOY_HOME", str(tmp_path))
    return tmp_path


def test_defaults_work_out_of_the_box(home: Path) -> None:
    settings = load_settings()
    assert str(settings.ssh) == "0.0.0.0:2222"
    assert str(settings.http) == "0.0.0.0:80"
    assert settings.https is None
    assert settings.domain == "localhost"
    assert settings.database_url == f"sqlite:///{home}/pushdeploy.sqlite3"


def test_home_has_a_default_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PUSHDEPLOY_HOME")
    assert load_settings().home == DEFAULT_HOME


def test_environment_wins_over_the_file_and_that_over_the_default(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "pushdeploy.toml").write_text('ssh = "127.0.0.1:1"\ndomain = "apps.example.com"\n')
    monkeypatch.setenv("PUSHDEPLOY_SSH", "127.0.0.1:2")
    settings = load_settings()
    assert settings.ssh == Address("127.0.0.1", 2)
    assert settings.domain == "apps.example.com"
    assert load_settings(ssh="127.0.0.1:3").ssh.port == 3


def test_empty_variable_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUSHDEPLOY_HTTPS", "")
    assert load_settings().https is None


@pytest.mark.parametrize(
    ("line", "networks"),
    [
        ('"127.0.0.1, 10.0.0.0/8 fd00::/8"', ["127.0.0.1/32", "10.0.0.0/8", "fd00::/8"]),
        ('["127.0.0.1", "10.0.0.0/8"]', ["127.0.0.1/32", "10.0.0.0/8"]),
        ('""', []),
        ("[]", []),
    ],
)
def test_trusted_proxies_are_addresses_and_networks(
    home: Path, line: str, networks: list[str]
) -> None:
    (home / "pushdeploy.toml").write_text(f"trusted_proxies = {line}\n")
    assert [str(each) for each in load_settings().trusted_proxies] == networks


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("10.0.0.1/8", "write 10.0.0.0/8 for all of it"),
        ("proxy.example.com", "no address and no network"),
        ("10.0.0.0/33", "no address and no network"),
        ("127.0.0.1; include /etc/passwd", "no address and no network"),
        ("*", "no address and no network"),
    ],
)
def test_a_trusted_proxy_that_is_no_network_is_named(
    monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    monkeypatch.setenv("PUSHDEPLOY_TRUSTED_PROXIES", text)
    with pytest.raises(UserError, match=f"PUSHDEPLOY_TRUSTED_PROXIES: .*{said}"):
        load_settings()


def test_proxy_lines_are_believed_of_somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUSHDEPLOY_PROXY_PROTOCOL", "true")
    with pytest.raises(UserError, match="PROXY_PROTOCOL: needs PUSHDEPLOY_TRUSTED_PROXIES"):
        load_settings()
    monkeypatch.setenv("PUSHDEPLOY_TRUSTED_PROXIES", "10.0.0.5")
    assert load_settings().proxy_protocol


def test_trusted_proxies_that_are_no_list_are_refused(home: Path) -> None:
    (home / "pushdeploy.toml").write_text("trusted_proxies = 1\n")
    with pytest.raises(UserError, match="1 is no list of addresses and networks"):
        load_settings()


def test_addresses_are_read_from_the_environment_as_text_regression(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PUSHDEPLOY_HTTPS", "[::]:443")
    assert load_settings().https == Address("::", 443)


def test_file_of_a_home_that_is_given_is_read_regression(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "pushdeploy.toml").write_text('domain = "other.example.com"\n')
    assert load_settings(home=other).domain == "other.example.com"


def test_relative_home_becomes_absolute_for_the_engine_mounts_nothing_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PUSHDEPLOY_HOME", "state")
    assert load_settings().home == tmp_path / "state"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SSH", "2222"),
        ("SSH", "localhost"),
        ("HTTP", "localhost:65536"),
        ("HTTP", ":80"),
        ("HTTPS", "[]:443"),
        ("DOMAIN", "*.example.com"),
        ("DOMAIN", "two words"),
        ("DOMAIN", "example.com:8080"),
        ("STACK_SOURCE", "magic"),
        ("SSH_CIPHERS", "none"),
        ("TASK_PIDS", "-1"),
        ("LOGIN_GRACE_SECONDS", "0"),
        ("MAX_STARTUPS", "many"),
    ],
)
def test_wrong_setting_is_named_as_the_variable_that_mends_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"PUSHDEPLOY_{name}", value)
    with pytest.raises(UserError, match=f"PUSHDEPLOY_{name}: ") as caught:
        load_settings()
    assert caught.value.hint == "see docs/settings.md"


@pytest.mark.parametrize("text", ["colour = 1", "ssh = ", "\x00", 'http = ["a"]'])
def test_wrong_file_is_refused(home: Path, text: str) -> None:
    (home / "pushdeploy.toml").write_text(text)
    with pytest.raises(UserError, match="the settings cannot be used"):
        load_settings()


def test_a_wrong_file_is_named_and_not_a_variable_that_nobody_has_set_regression(
    home: Path,
) -> None:
    (home / "pushdeploy.toml").write_text("colour = 1")
    with pytest.raises(UserError, match=r": pushdeploy.toml: there is no setting colour$"):
        load_settings()
    (home / "pushdeploy.toml").write_text("[[[")
    with pytest.raises(UserError, match=r": pushdeploy.toml: .*line 1"):
        load_settings()


def test_our_own_words_are_not_introduced_by_the_library_regression(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PUSHDEPLOY_SSH", "nonsense")
    with pytest.raises(UserError, match=r"PUSHDEPLOY_SSH: 'nonsense' is not host:port"):
        load_settings()


def test_file_that_cannot_be_read_is_our_error(home: Path) -> None:
    (home / "pushdeploy.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match="the settings cannot be used"):
        load_settings()


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValidationError):
        load_settings().domain = "example.com"


@given(
    st.ip_addresses().map(str) | st.from_regex(r"[a-z]([a-z0-9.-]{0,20}[a-z0-9])?", fullmatch=True),
    st.integers(0, 65535),
)
def test_address_reads_what_it_writes(host: str, port: int) -> None:
    assert Address.parse(str(Address(host, port))) == Address(host, port)


@given(st.text("a0:[].٣ -", max_size=12))
def test_any_text_is_a_whole_address_or_none(text: str) -> None:
    try:
        address = Address.parse(text)
    except ValueError:
        return
    assert address.host
    assert 0 <= address.port <= 65535
    assert str(address.port) == text.rpartition(":")[2].lstrip("0") or address.port == 0


@pytest.mark.parametrize("text", ["", "\n", "# Settings of this pushdeploy\n", '# ssh = "0.0.0.0'])
def test_a_file_without_a_setting_is_told_of(home: Path, text: str) -> None:
    (home / "pushdeploy.toml").write_text(text)
    told = lost_settings(load_settings())
    assert told.startswith(f"{home}/pushdeploy.toml has not one setting")
    assert "ssh is 0.0.0.0:2222, http 0.0.0.0:80 and the domain localhost" in told


def test_a_file_with_a_setting_or_as_init_writes_it_is_whole(home: Path) -> None:
    assert lost_settings(load_settings()) == ""
    text = settings_text(load_settings())
    (home / "pushdeploy.toml").write_text('domain = "apps.test"')
    assert lost_settings(load_settings()) == ""
    (home / "pushdeploy.toml").write_text(text)
    assert lost_settings(load_settings()) == ""
    (home / "pushdeploy.toml").write_text(text[: len(text) // 2].rstrip())
    assert lost_settings(load_settings()) != ""
