"""What an app or a repository says steers nobody's terminal."""

import json

import pytest

from tests.stories.harness import APPS, Repository, Server, wait_until

pytestmark = pytest.mark.docker

NASTY = r"\033]0;taken over\007\033[2J\033[31mred\033[0m \302\23331mC1 hid\rden \342\200\256txt.exe"


@pytest.fixture(scope="module")
def nasty(shared_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """An app that prints escape sequences wherever it can."""
    directory = tmp_path_factory.mktemp("nasty") / "nasty"
    repository = Repository.create(shared_server, APPS / "hello", directory, "nasty-escapes")
    repository.write("nasty.sh", f"printf '%b\\n' '{NASTY}'\n")
    repository.write("Procfile", "release: sh nasty.sh\nweb: sh nasty.sh; exec python web.py\n")
    repository.commit("\x1b[2Jcommit \x1b]0;title\x07text")
    pushed = repository.push("-q", "main")
    assert pushed.returncode == 0, pushed.stderr
    (directory / "pushed").write_text(pushed.stderr)
    return repository


def steers(text: str) -> bool:
    return any(mark in text for mark in ("\x1b]", "\x1b[2J", "\x9b", "\u202e", "taken over\x07"))


def test_a_push_shows_what_was_printed_and_nothing_else(server: Server, nasty: Repository) -> None:
    pushed = (nasty.path / "pushed").read_text()
    lines = [line for line in pushed.splitlines() if "red" in line]
    assert any("red C1 hid" in line for line in lines), pushed
    assert not steers(pushed)
    # git's own client ends each of its lines with a code of its own, and sends no colour
    assert "\x1b[31m" not in pushed


def test_logs_are_plain_in_a_pipe_and_keep_colours_on_a_terminal(
    server: Server, nasty: Repository
) -> None:
    def printed() -> str:
        return server.ssh(f"logs {nasty.app}").stdout

    wait_until(lambda: "den txt.exe" in printed(), 30, printed)
    piped = printed()
    assert "\x1b" not in piped
    assert not steers(piped)
    assert "app[web.1]: red C1 hid" in piped
    assert "app[web.1]: den txt.exe" in piped

    terminal = server.watch_terminal(f"logs {nasty.app}", rows=24, columns=120)
    assert terminal.end() == 0
    assert "app[web.1]: \x1b[31mred\x1b[0m \x1b[31mC1 hid\x1b[0m" in terminal.said
    assert not steers(terminal.said)

    raw = server.ssh(f"logs {nasty.app} --raw").stdout
    assert "\x1b]0;taken over\x07\x1b[2J\x1b[31mred" in raw
    rows = json.loads(server.ssh(f"logs {nasty.app} --format json").stdout)
    assert any("\x1b]0;taken over" in row["text"] for row in rows)


def test_what_is_kept_of_a_release_and_typed_by_people_is_plain_too(
    server: Server, nasty: Repository
) -> None:
    app = nasty.app
    kept = server.ssh(f"releases:output {app}").stdout
    assert "red C1 hid" in kept
    assert not steers(kept)
    server.ssh(f"apps:lock {app} 'no \x1b]0;title\x07\x1b[2Jdeploys\u202e'", check=True)
    for shown in (server.ssh(f"apps:info {app}"), server.ssh(f"ap\x1b[2Jps:info {app}")):
        assert not steers(shown.stdout + shown.stderr)
    refused = nasty.push("-f", "HEAD~0:main", check=False)
    assert not steers(refused.stderr)
    table = server.watch_terminal("apps:list", rows=24, columns=200)
    table.end()
    assert "deploys" in server.record(f"apps:info {app}")["lock_message"]  # type: ignore[operator]
    assert not steers(table.said)
    server.ssh(f"apps:unlock {app}", check=True)


def test_a_value_is_given_to_programs_as_it_is(server: Server, nasty: Repository) -> None:
    app = nasty.app
    server.ssh(f"config:set {app} --no-restart 'A=one\n\x1b[31mtwo\u202e'", check=True)
    assert server.ssh(f"config:get {app} A").stdout == "one\n\x1b[31mtwo\u202e\n"
    terminal = server.watch_terminal(f"config:get {app} A", rows=24, columns=80)
    terminal.end()
    assert not steers(terminal.said)
    server.ssh(f"config:unset {app} --no-restart A", check=True)
