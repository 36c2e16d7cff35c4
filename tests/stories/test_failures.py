"""Whatever fails, the push is rejected with the reason and the old version goes on serving."""

import pytest

from tests.stories.conftest import MakeRepository
from tests.stories.harness import Repository, Result, Server
from tests.stories.traffic import visiting

pytestmark = pytest.mark.docker

ANSWERS_500 = """\
import http.server, os, traceback

class Broken(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            nothing()
        except NameError:
            self.send_error(500)
            traceback.print_exc()

http.server.HTTPServer(("0.0.0.0", int(os.environ["PORT"])), Broken).serve_forever()
"""

QUIETLY_500 = """\
import http.server, os, sys

class Broken(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(500)
        self.end_headers()

print("the key of the shop is missing", file=sys.stderr, flush=True)
http.server.HTTPServer(("0.0.0.0", int(os.environ["PORT"])), Broken).serve_forever()
"""


@pytest.fixture
def journal(server: Server, repo: MakeRepository) -> Repository:
    """An app with a disk and a release command, live as v1."""
    repository = repo("journal")
    server.ssh(f"apps:create {repository.app}", check=True)
    server.ssh(f"disks:attach {repository.app} data /data", check=True)
    repository.push(check=True)
    return repository


def assert_rejected(result: Result, reason: str) -> None:
    assert result.returncode == 1, result.stderr
    assert "! [remote rejected] main -> main (" in result.stderr
    assert reason in result.stderr.partition("[remote rejected]")[2]


def test_a_build_that_fails_leaves_no_release_and_no_trace(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("hello")
    repository.push(check=True)
    live = repository.head
    repository.write("Procfile", "web: python web.py\nweb: python again.py\n")
    repository.commit("A Procfile that says two things")

    result = repository.push()

    assert_rejected(result, "build failed: Procfile line 2 names web a second time")
    assert "keep one" in result.stderr
    assert repository.remote_main == live
    assert server.get(repository.app).body == "hello from version 1\n"
    assert server.ledger(repository.app) == [(1, "live", "deploy")]
    assert server.containers(f"pushdeploy.app={repository.app}", "pushdeploy.role=build") == []


def test_two_dependency_managers_are_refused_by_name(server: Server, repo: MakeRepository) -> None:
    repository = repo("hello")
    repository.write("Pipfile.lock", "{}\n")
    repository.write("poetry.lock", "\n")
    repository.commit("Two lock files")

    result = repository.push()

    assert_rejected(result, "build failed: ")
    assert "Pipfile.lock" in result.stderr
    assert "poetry.lock" in result.stderr
    assert server.ledger(repository.app) == []


def test_a_package_that_does_not_exist_fails_the_build_in_uvs_words(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("hello")
    repository.push(check=True)
    repository.write("requirements.txt", "/app/there-is-no-such-package-0.1-py3-none-any.whl\n")
    repository.commit("A package that nobody has")

    result = repository.push()

    assert_rejected(result, "build failed: ")
    assert "there-is-no-such-package" in result.stderr
    assert server.get(repository.app).body == "hello from version 1\n"
    assert server.containers("pushdeploy.role=build") == []


def test_a_release_command_that_fails_keeps_the_slug_for_a_cheap_retry(
    server: Server, journal: Repository
) -> None:
    app, live = journal.app, journal.head
    journal.write("VERSION", "2\n")
    journal.write("Procfile", 'release: test -n "$REPAIRED" || exit 3\nweb: python web.py\n')
    commit = journal.commit("A migration that needs a config var")

    failed = journal.push()
    assert_rejected(failed, "release failed: the release command of v2 ended with exit code 3")
    assert f"v2 failed; v1 ({live[:7]}) goes on serving" in failed.stderr
    assert f"releases:retry {app}" in failed.stderr
    assert journal.remote_main == live
    assert server.get(app).body == "journal of version 1\n"

    again = journal.push()
    assert_rejected(again, "exit code 3")
    assert "Reusing slug" in again.stderr

    server.ssh(f"config:set {app} REPAIRED=yes", check=True)
    assert server.get(app).body == "journal of version 1\n"
    assert journal.remote_main == live

    retried = server.ssh(f"releases:retry {app}")
    assert retried.returncode == 0, retried.stderr
    assert "Retry of v3: Deploy" in retried.stdout
    assert "Building" not in retried.stdout
    assert journal.remote_main == commit
    assert server.get(app).body == "journal of version 2\n"
    assert server.ledger(app) == [
        (1, "retired", "deploy"),
        (2, "failed", "deploy"),
        (3, "failed", "deploy"),
        (4, "retired", "config"),
        (5, "live", "retry"),
    ]
    nothing = server.ssh(f"releases:retry {app}")
    assert nothing.returncode == 1
    assert f"the last release of {app} did not fail" in nothing.stderr


def test_a_release_command_that_takes_too_long_is_stopped_and_fails(
    server: Server, journal: Repository
) -> None:
    app = journal.app
    server.ssh(f"apps:set {app} release-timeout=1s", check=True)
    journal.write("Procfile", "release: echo patience; exec sleep 600\nweb: python web.py\n")
    journal.commit("A migration without end")

    result = journal.push()

    assert_rejected(result, "release failed: the release command of v2 ran into its 1 s limit")
    assert "remote:        patience" in result.stderr
    assert server.get(app).body == "journal of version 1\n"
    assert server.containers(f"pushdeploy.app={app}", "pushdeploy.role=once") == []


def test_a_process_that_dies_at_its_start_shows_its_last_words(
    server: Server, journal: Repository
) -> None:
    app, live = journal.app, journal.head
    journal.write("Procfile", "release: python release.py\nweb: FAIL_BOOT=1 python web.py\n")
    journal.commit("It does not start")

    with visiting(server, app) as visits:
        result = journal.push()

    assert_rejected(result, "boot failed: web.1 exited with code 3 before it answered")
    assert "web: the last words before it dies" in result.stderr
    assert "v1" in result.stderr
    assert journal.remote_main == live
    assert visits.lost == []
    assert visits.bodies == ["journal of version 1\n"]
    assert server.ledger(app) == [(1, "live", "deploy"), (2, "failed", "deploy")]
    assert len(server.containers(f"pushdeploy.app={app}")) == 1
    kept = server.ssh(f"releases:output {app} v2", check=True).stdout
    assert "boot failed" in kept or "web.1 exited with code 3" in kept


def test_a_process_that_never_listens_fails_after_the_boot_timeout(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("hello")
    server.ssh(f"apps:create {repository.app}", check=True)
    server.ssh(f"apps:set {repository.app} boot-timeout=1s", check=True)
    repository.write("Procfile", "web: echo not listening; exec sleep 600\n")
    repository.commit("It listens to nobody")

    result = repository.push()

    assert_rejected(result, "boot failed: web.1 did not answer on port 5000 within 1 s")
    assert "not listening" in result.stderr
    assert repository.remote_main == ""
    assert server.get(repository.app).status == 503
    assert server.containers(f"pushdeploy.app={repository.app}") == []


def test_one_that_listens_for_itself_alone_is_not_waited_for(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("hello")
    server.ssh(f"apps:create {repository.app}", check=True)
    server.ssh(f"apps:set {repository.app} boot-timeout=1h", check=True)
    repository.write("Procfile", "web: python -m http.server --bind 127.0.0.1 $PORT\n")
    repository.commit("It listens to itself")

    result = repository.push()

    said = "web.1 listens on 127.0.0.1:5000 but must listen on 0.0.0.0:$PORT (5000)"
    assert_rejected(result, f"boot failed: {said}")
    assert result.stderr.count(f"remote:  !     {said}") == 1
    assert "let it listen on 0.0.0.0" in result.stderr


def test_one_that_opens_a_debugger_first_is_told_of_and_waited_for(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("hello")
    repository.write("Procfile", "web: python slow.py\n")
    repository.write(
        "slow.py",
        "import socket, time\n"
        "debugger = socket.create_server(('127.0.0.1', 5678))\n"
        "time.sleep(5)\n"
        "import web\n",
    )
    repository.commit("It takes its time")

    result = repository.push(check=True)

    said = "web.1 listens on 127.0.0.1:5678 but must listen on 0.0.0.0:$PORT (5000)"
    assert result.stderr.count(said) == 1
    assert server.get(repository.app).body == "hello from version 1\n"


@pytest.mark.parametrize(
    ("procfile", "code", "reason", "hint"),
    [
        (
            "web: python app.py",
            "def x(:\n",
            "boot failed: web.1 does not start: SyntaxError: invalid syntax (app.py, line 1)",
            "mend app.py, commit and push again",
        ),
        (
            "web: gunicorn app:app",
            "",
            "there is no program gunicorn in the slug: add it to requirements.txt",
            "commit that and push",
        ),
        (
            "web: python app.py",
            "import os\nos.kill(os.getpid(), 11)\n",
            "boot failed: web.1 does not start: exit code 139 (SIGSEGV)",
            "releases:retry",
        ),
        (
            "web: python -m http.server --bind 127.0.0.1 $PORT",
            "",
            "did not answer on port 5000 within 2 s: it listens on 127.0.0.1 only",
            "let it listen on 0.0.0.0",
        ),
        (
            "web: python -m http.server 8000",
            "",
            "did not answer on port 5000 within 2 s: it listens on port 8000, not on 5000",
            "let it listen on 0.0.0.0",
        ),
        (
            "web: python app.py",
            ANSWERS_500,
            "answers with status 500: NameError: name 'nothing' is not defined (app.py, line 6)",
            "mend app.py, commit and push again",
        ),
        (
            "release: python app.py\nweb: true",
            "import os\nos.environ['SHOP_KEY']\n",
            "release command of v1 ended with exit code 1: KeyError: 'SHOP_KEY' (app.py, line 2)",
            "SHOP_KEY=...  and then:  releases:retry",
        ),
    ],
)
def test_the_cause_stands_in_the_line_in_which_git_rejects(
    server: Server, repo: MakeRepository, procfile: str, code: str, reason: str, hint: str
) -> None:
    repository = repo("hello")
    server.ssh(f"apps:create {repository.app}", check=True)
    server.ssh(f"apps:set {repository.app} boot-timeout=2s", check=True)
    repository.write("Procfile", f"{procfile}\n")
    repository.write("app.py", code)
    repository.commit("It does not work")

    result = repository.push()

    assert_rejected(result, reason)
    assert hint in result.stderr
    assert "its last lines" not in result.stderr
    assert ("releases:retry" in result.stderr) == ("releases:retry" in hint)


def test_what_a_release_command_has_printed_is_shown_once(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("hello")
    repository.write("Procfile", "release: echo 'no luck today'; exit 7\nweb: python web.py\n")
    repository.commit("No luck")

    result = repository.push()

    assert_rejected(result, "exit code 7: no luck today")
    shown = [
        line for line in result.stderr.splitlines() if line.rstrip().endswith("  no luck today")
    ]
    assert len(shown) == 1


def test_an_nginx_template_that_nginx_refuses_fails_the_push_and_touches_nobody(
    server: Server, journal: Repository
) -> None:
    app, live = journal.app, journal.head
    template = server.home / "templates" / "nginx" / "app.conf"
    template.parent.mkdir(parents=True)
    template.write_text("server { this_is_no_directive; }\n")
    journal.write("VERSION", "2\n")
    commit = journal.commit()
    try:
        result = journal.push()
    finally:
        template.unlink()

    assert_rejected(result, f"route failed: nginx refuses the configuration of {app}")
    assert "this_is_no_directive" in result.stderr
    assert journal.remote_main == live
    assert server.get(app).body == "journal of version 1\n"
    assert len(server.containers(f"pushdeploy.app={app}")) == 1

    journal.push(check=True)
    assert journal.remote_main == commit
    assert server.get(app).body == "journal of version 2\n"


def test_a_failed_first_push_of_a_new_app_keeps_it_to_be_configured(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("hello")
    app = repository.app
    repository.write("Procfile", "this is not a Procfile\n")
    repository.commit()

    result = repository.push()

    assert_rejected(result, "build failed: ")
    assert f"ssh deploy apps:destroy {app} removes it" in result.stderr
    server.ssh(f"config:set {app} GREETING=hello", check=True)
    assert server.get(app).status == 503
    repository.write("Procfile", "web: python web.py\n")
    repository.commit()
    mended = repository.push()
    assert mended.returncode == 0, mended.stderr
    assert server.get(app).status == 200


def test_what_is_quoted_of_a_web_that_fails_is_not_our_own_check(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("hello")
    server.ssh(f"apps:create {repository.app}", check=True)
    server.ssh(f"apps:set {repository.app} boot-timeout=8s", check=True)
    repository.write("Procfile", "web: python app.py\n")
    repository.write("app.py", QUIETLY_500)
    repository.commit("It says why once, and then logs each request")

    result = repository.push()

    assert_rejected(result, "answers with status 500")
    assert "the key of the shop is missing" in result.stderr
    assert "GET / HTTP/1.1" not in result.stderr
