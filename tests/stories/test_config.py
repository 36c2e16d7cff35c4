"""Config vars: any value survives the way, a change is a release, a failed one changes nothing."""

import base64
import json
import shlex
import subprocess

import pytest

from tests.stories.conftest import MakeRepository
from tests.stories.harness import Repository, Server

pytestmark = pytest.mark.docker

AWKWARD = {
    "SPACES": "two  words ",
    "QUOTES": """it's "quoted" """,
    "DOLLARS": "$HOME $(id) `id` ${x}",
    "NEWLINES": "first\nsecond\n\nlast",
    "UNICODE": "grüße, 世界",
    "EQUALS": "a=b=c",
    "BACKSLASH": "\\n is no newline",
    "EMPTY": "",
    "DASH": "--force",
}


@pytest.fixture
def hello(server: Server, repo: MakeRepository) -> Repository:
    repository = repo("hello")
    repository.push(check=True)
    return repository


def test_every_value_arrives_in_the_app_as_it_was_typed(server: Server, hello: Repository) -> None:
    app = hello.app
    words = " ".join(shlex.quote(f"{key}={value}") for key, value in AWKWARD.items())

    changed = server.ssh(f"config:set {app} {words}")

    assert changed.returncode == 0, changed.stderr
    assert server.ledger(app) == [(1, "retired", "deploy"), (2, "live", "config")]
    for key, value in AWKWARD.items():
        assert server.ssh(f"config:get {app} {key}").stdout == f"{value}\n"
    assert server.record(f"config:show {app}") == AWKWARD
    dump = "import json, os; print(json.dumps(dict(os.environ)))"
    seen = server.ssh(f"run {app} python -c {shlex.quote(dump)}")
    assert seen.returncode == 0, seen.stderr
    environment = json.loads(seen.stdout)
    assert {key: environment[key] for key in AWKWARD} == AWKWARD

    exported = server.ssh(f"config:export {app}", check=True).stdout
    check = exported + 'printf %s "$NEWLINES|$QUOTES|$DOLLARS"\n'
    shown = subprocess.run(["sh", "-c", check], capture_output=True, text=True, check=True).stdout
    assert shown == "|".join(AWKWARD[key] for key in ("NEWLINES", "QUOTES", "DOLLARS"))


def test_encoded_values_need_no_quoting(server: Server, repo: MakeRepository) -> None:
    repository = repo("hello")
    server.ssh(f"apps:create {repository.app}", check=True)
    value = "-----BEGIN-----\nä'\"$\n-----END-----\n"
    encoded = base64.b64encode(value.encode()).decode()

    server.ssh(f"config:set {repository.app} --encoded PEM={encoded}", check=True)

    assert server.record(f"config:show {repository.app}") == {"PEM": value}


def test_a_change_of_config_is_a_release_that_the_app_sees(
    server: Server, hello: Repository
) -> None:
    app = hello.app
    changed = server.ssh(f"config:set {app} VERSION=from-config COLOUR=crimson")
    assert changed.returncode == 0, changed.stderr
    assert f"Release v2 of {app}: Set COLOUR, VERSION" in changed.stdout
    assert server.get(app).body == "hello from version from-config\n"

    same = server.ssh(f"config:set {app} COLOUR=crimson")
    assert same.returncode == 0
    assert len(server.ledger(app)) == 2

    back = server.ssh(f"config:unset {app} VERSION NEVER_SET")
    assert back.returncode == 0, back.stderr
    assert server.get(app).body == "hello from version 1\n"
    assert server.ssh(f"config:keys {app}").stdout == "COLOUR\n"
    gone = server.ssh(f"config:get {app} VERSION")
    assert (gone.returncode, gone.stdout) == (1, "")

    info = server.record(f"releases:info {app} v3")
    assert info["config_removed"] == ["VERSION"]
    assert info["config_keys"] == ["COLOUR"]
    assert "crimson" not in server.ssh(f"releases:info {app} v3").stdout


def test_a_failed_change_of_config_leaves_the_old_values(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("journal")
    app = repository.app
    server.ssh(f"apps:create {app}", check=True)
    server.ssh(f"config:set {app} MOTTO=before", check=True)
    repository.push(check=True)

    in_release = server.ssh(f"config:set {app} MOTTO=after FAIL=on-purpose")
    at_boot = server.ssh(f"config:set {app} MOTTO=after FAIL_BOOT=1")

    assert in_release.returncode == at_boot.returncode == 1
    assert "release of v2 fails: on-purpose" in in_release.stdout
    assert "goes on serving; config and disks are as in v1" in in_release.stderr
    assert "web: the last words before it dies" in at_boot.stderr
    assert server.record(f"config:show {app}") == {"MOTTO": "before"}
    assert server.get(app).status == 200
    assert server.ledger(app) == [
        (1, "live", "deploy"),
        (2, "failed", "config"),
        (3, "failed", "config"),
    ]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("APP=x", "APP is set by pushdeploy"),
        ("RELEASE_VERSION=9", "RELEASE_VERSION is set by pushdeploy"),
        ("DISK_PATH_DATA=/x", "DISK_PATH_DATA is set by pushdeploy"),
        ("1ST=x", "is not a config var's name"),
        ("WITH-DASH=x", "is not a config var's name"),
        ("secret", "a word without '='"),
        ("--encoded A=no-base64!", "base64"),
    ],
)
def test_a_bad_config_var_is_refused_by_name_only(
    server: Server, empty_app: str, words: str, reason: str
) -> None:
    refused = server.ssh(f"config:set {empty_app} {words}")
    assert refused.returncode == 1
    assert reason in refused.stderr
    assert server.record(f"config:show {empty_app}") == {}


@pytest.fixture(scope="module")
def empty_app(shared_server: Server) -> str:
    shared_server.ssh("apps:create bad-config", check=True)
    return "bad-config"


def test_config_waits_for_the_first_push(server: Server, repo: MakeRepository) -> None:
    repository = repo("hello")
    server.ssh(f"apps:create {repository.app}", check=True)
    server.ssh(f"config:set {repository.app} VERSION=set-before", check=True)
    assert server.json(f"releases {repository.app}") == []
    repository.push(check=True)
    assert server.get(repository.app).body == "hello from version set-before\n"
