"""A command beside the app: its exit code, its streams, a terminal; and logs that are followed."""

import json

import pytest

from tests.stories.conftest import MakeRepository
from tests.stories.harness import APPS, Repository, Server, wait_until

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def app(shared_server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    """An app with a disk that the stories only look at."""
    name = "beside"
    path = tmp_path_factory.mktemp("run") / name
    repository = Repository.create(shared_server, APPS / "journal", path, name)
    shared_server.ssh(f"apps:create {name}", check=True)
    shared_server.ssh(f"disks:attach {name} data /data", check=True)
    repository.push(check=True)
    return name


@pytest.mark.parametrize("code", [0, 1, 7, 127, 255])
def test_run_ends_with_the_commands_own_exit_code(server: Server, app: str, code: int) -> None:
    assert server.ssh(f"run {app} 'exit {code}'").returncode == code


def test_run_passes_both_outputs_and_every_byte_of_its_input(server: Server, app: str) -> None:
    text = "".join(f"line {number} with ünïcode\n" for number in range(50_000))

    through = server.ssh(f"run {app} 'cat; echo to stderr >&2'", input=text)

    assert through.returncode == 0
    assert through.stdout == text
    assert through.stderr == "to stderr\n"


def test_run_sees_the_config_the_disk_and_the_code_of_the_live_release(
    server: Server, app: str
) -> None:
    shown = server.ssh(
        f"run {app} 'pwd; cat VERSION $DISK_PATH/journal; echo $DYNO $RELEASE_VERSION'"
    )
    pwd, version, journal, dyno = shown.stdout.splitlines()
    assert (pwd, version, journal) == ("/app", "1", "release v1")
    assert dyno.startswith("run.")
    assert dyno.endswith(" v1")
    more = server.ssh(f"run -e COLOUR=red --env SIZE=9 {app} -- printenv COLOUR SIZE")
    assert more.stdout == "red\n9\n"
    assert server.ssh(f"config:show {app}").stdout == ""


def test_run_hands_on_several_words_as_they_are(server: Server, app: str) -> None:
    words = """python -c 'import sys; print(sys.argv[1:])' 'two words' '$HOME' --app x -n 3"""
    shown = server.ssh(f"run {app} {words}")
    assert shown.stdout == "['two words', '$HOME', '--app', 'x', '-n', '3']\n"


def test_run_of_an_unknown_app_ends_with_20_and_leaves_nothing(server: Server, app: str) -> None:
    assert server.ssh("run nobody-here true").returncode == 20
    assert server.containers(f"pushdeploy.app={app}", "pushdeploy.role=once") == []


def test_run_with_a_terminal_has_its_size_and_hears_ctrl_c(server: Server, app: str) -> None:
    client = server.watch_terminal(f"run {app} sh", rows=33, columns=101)
    client.type("stty size\n")
    client.wait_for("33 101")
    client.resize(rows=20, columns=70)
    client.type("sleep 0.5; stty size\n")
    client.wait_for("20 70")
    client.type("sleep 600 || echo interrupted\n")
    client.wait_for("sleep 600")
    client.type("\x03")
    client.type("echo still here; exit 5\n")
    client.wait_for("still here")
    assert client.end() == 5
    assert server.containers(f"pushdeploy.app={app}", "pushdeploy.role=once") == []


def test_run_ends_when_its_client_has_gone(server: Server, app: str) -> None:
    client = server.watch_ssh(f"run {app} 'echo begun; sleep 600'")
    client.wait_for("begun")
    client.kill_ssh()
    assert client.end() != 0
    wait_until(
        lambda: not server.containers(f"pushdeploy.app={app}", "pushdeploy.role=once"),
        20,
        lambda: "the command still runs",
    )


def test_logs_are_followed_across_a_redeploy_and_end_with_the_client(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("hello")
    repository.push(check=True)
    reader = server.watch_ssh(f"logs {repository.app} -t")
    reader.wait_for("app[web.1]: version 1 listens")
    repository.write("VERSION", "2\n")
    repository.commit()
    repository.push(check=True)
    reader.wait_for("app[web.1]: version 2 listens")
    threads = server.threads
    reader.interrupt()
    assert reader.end() != 0
    wait_until(lambda: server.threads < threads, 20, lambda: "the server still follows")


def test_logs_are_shown_as_asked_for(server: Server, repo: MakeRepository) -> None:
    repository = repo("hello")
    app = repository.app
    repository.write(
        "Procfile",
        "web: python web.py\nworker: python worker.py\ncounter: seq 1 300; exec sleep 600\n",
    )
    repository.commit()
    repository.push(check=True)
    server.ssh(f"ps:scale {app} worker=1 counter=1", check=True)

    few = server.ssh(f"logs {app} -n 3 -p counter").stdout.splitlines()
    assert [line.rpartition("]: ")[2] for line in few] == ["298", "299", "300"]
    assert len(server.ssh(f"logs {app}").stdout.splitlines()) == 100
    rows = json.loads(server.ssh(f"logs {app} -p worker --format json", check=True).stdout)
    assert [(row["process"], row["text"]) for row in rows] == [
        ("worker.1", "worker of version 1 is up")
    ]
    assert server.ssh(f"logs {app} -n 0").stdout == ""


WHO = """\
import getpass, grp, os, pwd

del os.environ["USER"], os.environ["LOGNAME"]
names = {pwd.getpwuid(os.getuid()).pw_name, getpass.getuser(), os.path.expanduser("~app")}
print("I am", *sorted(names), *sorted(grp.getgrgid(each).gr_name for each in os.getgroups()))
"""


def test_the_apps_user_has_a_name_wherever_its_commands_run(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("hello")
    repository.write("who.py", WHO)
    repository.write("Procfile", "release: python who.py\nweb: python who.py && python web.py\n")
    check = {"type": "startup", "name": "who", "command": ["python", "who.py"]}
    repository.write("app.json", json.dumps({"healthchecks": {"web": [check]}}))
    repository.commit("Who am I?")

    pushed = repository.push(check=True)

    assert "I am /app app app" in pushed.stderr
    assert "I am /app app app app-disks" in server.ssh(f"run {repository.app} python who.py").stdout
    assert "I am /app app app" in server.ssh(f"logs {repository.app}").stdout
    shown = server.ssh(f"run {repository.app} 'whoami; echo $USER $LOGNAME ~'").stdout
    assert shown.splitlines() == ["app", "app app /app"]


def test_what_runs_beside_an_app_without_a_disk_is_seen_and_ended_from_elsewhere(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("hello")
    repository.push(check=True)
    command = server.watch_ssh(f"run {repository.app} 'echo ready; sleep 1000'")
    command.wait_for("ready")

    (one,) = [row for row in server.json(f"ps {repository.app}") if row["process"] != "web.1"]
    assert (one["state"], one["release"]) == ("up", "v1")
    assert [str(one["container"])[:12]] == server.containers(f"pushdeploy.dyno={one['process']}")
    server.ssh(f"ps:stop {repository.app} {one['process']}", check=True)

    assert command.end() == 130
    assert "cancelled: ada stopped it" in command.said
    assert "nothing was changed" not in command.said
    assert [row["process"] for row in server.json(f"ps {repository.app}")] == ["web.1"]
