"""disks, keys, logs, run, builds, help, version: what the other nouns answer."""

import base64
from datetime import UTC, datetime, timedelta, timezone

import click
import pytest

import pushdeploy
from pushdeploy.commands.disks import parse_attachment
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.container import LogLine
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.key_blob import blob_of
from pushdeploy.domain.names import KeyName
from pushdeploy.locks.apps import Purpose
from pushdeploy.output import Quiet
from tests.unit.commands.machine import ADA, SHOP, Client, Machine, key_of

BOB_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f bob@x\n"

# --------------------------------------------------------------------------- disks


@pytest.mark.parametrize(
    "words", [["data"], ["data", "/a", "/b"], ["/var/lib/x:/data"], ["data", "data"], ["data:"]]
)
def test_a_disk_without_name_or_path_is_refused(words: list[str]) -> None:
    with pytest.raises((UserError, click.UsageError)):
        parse_attachment(words)


def test_a_directory_of_the_server_is_no_disk() -> None:
    with pytest.raises(click.UsageError, match="disks have names here"):
        parse_attachment(["/srv/dokku/data/storage/shop:/data"])


# --------------------------------------------------------------------------- keys


def test_a_key_from_standard_input_may_log_in(machine: Machine) -> None:
    assert machine.type("keys:add bob", BOB_KEY.encode()).status == 0
    assert [row["name"] for row in machine.type("keys:list --format json").json] == ["ada", "bob"]
    assert machine.type("whoami", by=KeyName("bob")).out == "bob\n"


def test_a_key_can_be_pasted_on_a_terminal(machine: Machine) -> None:
    assert machine.type("ssh-keys:add bob", BOB_KEY.encode(), terminal="xterm").status == 0


def line_of(number: int) -> str:
    blob = blob_of("ssh-ed25519", bytes([number]) * 32)
    return f"ssh-ed25519 {base64.b64encode(blob).decode()}\n"


def test_several_keys_of_one_text_are_added_together_or_not_at_all(machine: Machine) -> None:
    assert machine.type("keys:add carol", line_of(1).encode()).status == 0
    text = f"{BOB_KEY}\n{line_of(2)}"
    refused = machine.type("keys:add bob", f"{text}{line_of(1)}".encode())
    assert (refused.status, "as carol" in refused.errors) == (1, True)
    assert len(machine.store.keys.list()) == 2
    assert machine.type("keys:add bob", text.encode()).status == 0
    assert [key.name for key in machine.store.keys.list()] == ["ada", "bob", "bob-2", "carol"]
    assert "still there: bob-2" in machine.type("keys:remove bob").out


def test_a_key_in_the_utf_16_of_windows_is_read(machine: Machine) -> None:
    assert machine.type("keys:add bob", f"{BOB_KEY}\r\n".encode("utf-16")).status == 0


@pytest.mark.parametrize(
    "text", [b"", b"nonsense", b"-----BEGIN OPENSSH PRIVATE KEY-----", b"x" * 99999]
)
def test_what_is_no_public_key_is_refused(machine: Machine, text: bytes) -> None:
    assert machine.type("keys:add bob", text).status == 1
    assert len(machine.store.keys.list()) == 1


def test_input_without_end_is_not_read_to_its_end(machine: Machine) -> None:
    answer = machine.type("keys:add bob", BOB_KEY.encode() * 1000)
    assert "larger than" in answer.errors


def test_the_last_key_is_only_removed_by_force(machine: Machine) -> None:
    machine.store.keys.add(key_of("bob"))
    assert machine.type("keys:remove bob").status == 0
    assert machine.type("keys:remove bob").status == 1
    last = machine.type("keys:remove ada")
    assert (last.status, "last key" in last.errors) == (1, True)
    assert machine.type("keys:remove ada --force").status == 0
    assert machine.store.keys.list() == []


def test_the_key_that_asks_is_removed_with_force_only(machine: Machine) -> None:
    machine.store.keys.add(key_of("bob"))
    own = machine.type("keys:remove ada")
    assert (own.status, "you are using" in own.errors) == (1, True)
    assert "keys:remove ada --force" in own.errors
    assert machine.type("keys:remove ada --force").status == 0
    assert [key.name for key in machine.store.keys.list()] == ["bob"]


# --------------------------------------------------------------------------- logs


def test_log_lines_look_as_heroku_shows_them(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    here = timezone(timedelta(hours=2))
    machine.scheduler.lines = [
        ("web.1", LogLine(datetime(2026, 1, 31, 12, 0, tzinfo=UTC), 1, "up")),
        ("worker.1", LogLine(datetime(2026, 1, 31, 14, 0, 1, 5, tzinfo=here), 2, "boo")),
    ]
    assert machine.type("logs shop -n 7 -p web").out.splitlines() == [
        "2026-01-31T12:00:00.000000+00:00 app[web.1]: up",
        "2026-01-31T12:00:01.000005+00:00 app[worker.1]: boo",
    ]
    assert machine.scheduler.asked == {"app": SHOP, "tail": 7, "follow": False, "process": "web"}
    assert machine.type("logs shop --format json").json[1] == {
        "at": "2026-01-31T12:00:01.000005+00:00",
        "process": "worker.1",
        "stream": "stderr",
        "text": "boo",
    }


def test_requests_stand_among_the_lines_of_the_app_by_time(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    noon = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
    later = [noon + timedelta(seconds=number) for number in range(4)]
    machine.scheduler.lines = [("web.1", LogLine(later[n], 1, f"app {n}")) for n in (0, 2)]
    machine.router.asked[SHOP] = [LogLine(later[n], 1, f"at=info {n}") for n in (1, 3)]
    assert machine.type("logs shop -n 3").out.splitlines() == [
        "2026-01-31T12:00:01.000000+00:00 pushdeploy[router]: at=info 1",
        "2026-01-31T12:00:02.000000+00:00 app[web.1]: app 2",
        "2026-01-31T12:00:03.000000+00:00 pushdeploy[router]: at=info 3",
    ]
    assert "router" not in machine.type("logs shop -p web").out
    assert machine.type("logs shop -p web -n 0").out == ""
    machine.scheduler.lines = []
    only = machine.type("logs shop --ps router --format json").json
    assert [(row["process"], row["text"]) for row in only] == [
        ("router", "at=info 1"),
        ("router", "at=info 3"),
    ]


def test_requests_are_followed_with_the_lines_of_the_app(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    asked = machine.router.asked[SHOP] = [LogLine(datetime.now(UTC), 1, "at=info old")]
    client = Client()
    found = machine.context.reads.logs.lines(
        SHOP, client.cancellation, tail=5, follow=True, process=None
    )
    assert next(found)[1].text == "at=info old"
    asked.append(LogLine(datetime.now(UTC), 1, "at=info new"))
    assert next(found) == ("router", asked[-1])
    client.cancellation.cancel("the client went away")
    assert list(found) == []


def test_following_ends_when_the_client_has_gone(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    machine.scheduler.lines = [("web.1", LogLine(datetime.now(UTC), 1, "up"))] * 3
    client = Client()
    client.cancellation.cancel("the client went away")
    assert machine.type_as(client, "logs shop --tail").out == ""
    assert machine.scheduler.asked["follow"] is True


def test_a_log_that_is_followed_has_no_json(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    assert machine.type("logs shop -t --format json").status == 1


# --------------------------------------------------------------------------- run


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("python manage.py shell -c 'print(1)'", "python manage.py shell -c 'print(1)'"),
        ("-- ls -la --format json", "ls -la --format json"),
        ("ls --help", "ls --help"),
        ("'echo $DYNO | rev'", "echo $DYNO | rev"),
        ("echo '$DYNO' 'a b'", "echo '$DYNO' 'a b'"),
        ("worker", "work"),
        ("'worker'", "'worker'"),
        ("ls /data; id", "ls /data; id"),
        ('echo "$DYNO" | rev', 'echo "$DYNO" | rev'),
        ("echo  it's", "echo  it's"),
        ('"echo \\"$DYNO\\" | rev"', 'echo "$DYNO" | rev'),
        ("echo>'/data/a b'", "echo>'/data/a b'"),
        ("'a b' 'c d'", "'a b' 'c d'"),
        ("echo a &&\necho b", "echo a &&\necho b"),
        ("web", "serve --port $PORT"),
        ("worker --once 'a b'", "work --once 'a b'"),
        ("'worker --once \"$X\"'", 'work --once "$X"'),
        ("workers --once", "workers --once"),
        ("-- -- ls", "-- ls"),
    ],
)
def test_everything_after_the_app_is_the_command(
    machine: Machine, words: str, expected: str
) -> None:
    machine.live()
    machine.type(f"run shop {words}")
    (once,) = machine.scheduler.once
    assert once.command == expected


@pytest.mark.parametrize(
    "line",
    [
        "run -e A='1 2' --env B=2 --no-tty shop env",
        "run shop -e A='1 2' --env B=2 --no-tty env",
        "--app shop run -e A='1 2' --env=B=2 env",
        "run shop -eA='1 2' -e B=2 -- env",
    ],
)
def test_options_of_run_stand_before_its_command(machine: Machine, line: str) -> None:
    machine.live()
    assert machine.type(line).status == 0
    (once,) = machine.scheduler.once
    assert (once.command, once.environment) == ("env", {"A": "1 2", "B": "2"})


def test_run_ends_with_the_exit_code_of_its_command(machine: Machine) -> None:
    machine.live()
    machine.scheduler.exit_code = 42
    assert machine.type("run shop false").status == 42
    assert machine.audited()[-1] == ("run shop false", 42)


def test_the_audit_log_shows_no_var_that_a_command_was_given(machine: Machine) -> None:
    machine.live()
    machine.type("run -e A=s3cret shop TOKEN=s3cret ./load 'pass=s3cret too'")
    assert machine.audited()[-1] == ("run -e 'A=…' shop TOKEN=… ./load pass=…", 0)


def test_run_has_the_live_release_and_a_name_of_its_own(machine: Machine) -> None:
    machine.live()
    machine.type("config:set shop A=1")
    assert machine.type("run shop cat", b"typed").out == "typed"
    once = machine.scheduler.once[0]
    assert once.manifest.version == 2
    kind, _, number = once.name.partition(".")
    assert (kind, len(number), number.isdecimal()) == ("run", 4, True)


def test_run_passes_a_terminal_through_untouched(machine: Machine) -> None:
    machine.live()
    client = Client(b"", "xterm")
    machine.type_as(client, "run shop bash")
    assert (client.raw, machine.scheduler.terminals[0]) == (True, "xterm")
    client = Client(b"", "xterm")
    machine.type_as(client, "run --no-tty shop bash")
    assert (client.raw, machine.scheduler.terminals[1]) == (False, None)


@pytest.mark.parametrize("line", ["run shop", "run shop --", "run", "run shop --nope env"])
def test_run_without_a_command_is_an_error(machine: Machine, line: str) -> None:
    machine.live()
    assert machine.type(line).status == 1
    assert machine.scheduler.once == []


def test_run_needs_a_live_release(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    assert machine.type("run shop env").status == 1


# --------------------------------------------------------------------------- builds


def test_a_build_that_is_going_on_is_cancelled_from_elsewhere(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    cancellation = Cancellation()
    purpose = Purpose("deploy of 4a4bd4d", ADA)
    with machine.context.locks.apps.hold(SHOP, purpose, Quiet(), cancellation):
        answer = machine.type("builds:cancel shop")
    assert (answer.status, answer.out) == (0, "cancelled: deploy of 4a4bd4d by ada\n")
    assert cancellation.cancelled


def test_a_release_that_has_begun_is_not_cancelled(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    cancellation = Cancellation()
    cancellation.commit()
    with machine.context.locks.apps.hold(SHOP, Purpose("deploy", ADA), Quiet(), cancellation):
        answer = machine.type("builds:cancel shop")
    assert answer.status == 1
    assert "too late" in answer.errors


def test_there_may_be_nothing_to_cancel(machine: Machine) -> None:
    machine.store.apps.create(SHOP)
    assert "nothing is being deployed" in machine.type("builds:cancel shop").errors


# --------------------------------------------------------------------------- version


def test_the_version_is_that_of_the_server(machine: Machine) -> None:
    assert machine.type("version").out == f"pushdeploy {pushdeploy.__version__}\n"
    assert machine.type("--version --format json").json == {"version": pushdeploy.__version__}
