"""Which exec strings are git's."""

import pytest

from pushdeploy.ssh.command_threads import GitRequest, git_request


@pytest.mark.parametrize(
    ("command", "service", "path"),
    [
        ("git-receive-pack 'my-app'", "git-receive-pack", "my-app"),
        ("git receive-pack '/my-app.git'", "git-receive-pack", "/my-app.git"),
        ("git-upload-pack 'it'\\''s'", "git-upload-pack", "it's"),
        ("git-upload-archive ../x", "git-upload-archive", "../x"),
        ("git-receive-pack ''", "git-receive-pack", ""),
    ],
)
def test_git_service_and_path_are_taken_apart(command: str, service: str, path: str) -> None:
    assert git_request(command) == GitRequest(service, path)


@pytest.mark.parametrize(
    "command",
    [
        "",
        "git",
        "git-receive-pack",
        "git-receive-pack a b",
        "git-receive-pack 'unclosed",
        "git-shell 'x'",
        "git gc 'x'",
        "sh -c 'git-receive-pack x'",
        "/usr/bin/git-receive-pack 'x'",
    ],
)
def test_everything_else_is_an_ordinary_command(command: str) -> None:
    assert git_request(command) is None
