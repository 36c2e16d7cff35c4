"""The server is killed in each stage of a deploy: apps serve on, nothing is left half-done."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.stories.conftest import MakeRepository
from tests.stories.harness import APPS, Answer, Repository, Running, Server, wait_until
from tests.stories.means import run_checked
from tests.stories.traffic import Visits, visiting

pytestmark = pytest.mark.docker

SLOW_PACKAGE = {
    "requirements.txt": "./slow\n",
    "slow/pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "slow_backend"\n'
    'backend-path = ["."]\n[project]\nname = "slow"\nversion = "1"\n',
    "slow/slow_backend.py": "import time\n\ndef build_wheel(*_):\n    time.sleep(600)\n",
}


@dataclass(frozen=True, slots=True)
class Shop:
    """A live app with a disk; each story pushes its next version and kills its server."""

    server: Server
    repository: Repository

    @property
    def app(self) -> str:
        return self.repository.app

    @property
    def body(self) -> str:
        """What the live version answers."""
        return f"journal of version {(self.repository.path / 'VERSION').read_text().strip()}\n"

    def next_version(self) -> str:
        number = int((self.repository.path / "VERSION").read_text()) + 1
        self.repository.write("VERSION", f"{number}\n")
        return self.repository.commit(f"Version {number}")

    def hold(self, step: str) -> Path:
        """Let a step wait until the file is removed."""
        path = self.server.disk(self.app) / f"hold-{step}"
        path.touch()
        return path

    def arrived(self, step: str) -> None:
        """Wait until something waits at the gate of a step."""
        at = self.server.disk(self.app) / f"at-{step}"
        wait_until(
            at.exists, 60, lambda: f"nothing has come to {step}:\n{self.server.log()[-3000:]}"
        )
        at.unlink()

    def containers(self, role: str) -> list[str]:
        return self.server.containers(f"pushdeploy.app={self.app}", f"pushdeploy.role={role}")

    def last(self) -> dict[str, object]:
        return self.server.json(f"releases {self.app} -n 1")[0]


@pytest.fixture(scope="module")
def live_shop(mortal_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    path = tmp_path_factory.mktemp("shop") / "shop"
    repository = Repository.create(mortal_server, APPS / "journal", path, "shop")
    mortal_server.ssh("apps:create shop", check=True)
    mortal_server.ssh("disks:attach shop data /data", check=True)
    # One at a time is killed in test_exclusive: there the gates on the disk are put back as well.
    mortal_server.ssh("disks:set shop cutover=overlap", check=True)
    repository.push(check=True)
    return Shop(mortal_server, repository)


@pytest.fixture
def shop(live_shop: Shop, mortal: Server) -> Iterator[Shop]:
    """As every story finds it: live, at rest, and its branch where the clone's is."""
    live_shop.repository.git("reset", "-q", "--hard", live_shop.repository.remote_main)
    yield live_shop
    for gate in live_shop.server.disk("shop").glob("*-*"):
        gate.unlink()


def assert_untouched(shop: Shop, visits: Visits, body: str, commit: str) -> None:
    """The version from before has served all the while, and nothing else is left."""
    assert visits.lost == []
    assert visits.bodies == [body]
    assert shop.repository.remote_main == commit
    assert_tidy(shop)


def assert_tidy(shop: Shop) -> None:
    """One task, no container of a build or a command, nothing in quarantine."""
    quarantine = shop.server.home / "repositories" / "shop.git" / "quarantine"

    def left() -> list[object]:
        tasks = shop.containers("task")
        builds = shop.containers("build")
        commands = shop.containers("once")
        return [*tasks[1:], *builds, *commands, *quarantine.glob("*")]

    wait_until(lambda: not left(), 20, lambda: f"there is too much: {left()}")


def assert_next_push_works(shop: Shop) -> None:
    commit = shop.next_version()
    shop.repository.push(check=True)
    assert shop.server.get(shop.app).body == shop.body
    assert shop.repository.remote_main == commit
    assert shop.last()["status"] == "live"
    assert_tidy(shop)


def killed_and_started(shop: Shop, push: Running) -> None:
    shop.server.kill()
    assert push.end() != 0, push.said
    shop.server.start()


def test_killed_while_building(shop: Shop) -> None:
    body, live, before = shop.body, shop.repository.head, shop.server.ledger(shop.app)
    for name, text in SLOW_PACKAGE.items():
        shop.repository.write(name, text)
    shop.repository.commit("A package that takes ten minutes")
    with visiting(shop.server, shop.app) as visits:
        push = shop.repository.start_push()
        push.wait_for("Installing dependencies")
        wait_until(lambda: shop.containers("build") != [], 20, lambda: push.said)
        killed_and_started(shop, push)

    assert_untouched(shop, visits, body, live)
    assert shop.server.ledger(shop.app) == before
    shop.repository.git("reset", "-q", "--hard", live)
    assert_next_push_works(shop)


def test_killed_while_the_release_command_runs(shop: Shop) -> None:
    body, live = shop.body, shop.repository.head
    hold = shop.hold("release")
    shop.next_version()
    with visiting(shop.server, shop.app) as visits:
        push = shop.repository.start_push()
        shop.arrived("release")
        killed_and_started(shop, push)

        # It is left to end: a migration is never cut in half.
        begun = shop.last()
        assert begun["status"] == "releasing"
        doing = shop.server.record("apps:info shop")["doing"]
        assert doing == f"release command of {begun['release']} by ada"
        too_late = shop.server.ssh("builds:cancel shop")
        assert too_late.returncode == 1, too_late.stdout
        assert f"too late: the release command of {begun['release']}" in too_late.stderr
        [command] = shop.containers("once")
        networks = ["docker", "exec", command, "ls", "/sys/class/net"]
        assert "eth0" in run_checked(networks, cwd=shop.server.root).stdout
        again = shop.repository.start_push()
        again.wait_for(f"waiting: release command of {begun['release']} by ada")
        assert visits.bodies == [body]
        assert shop.repository.remote_main == live
        hold.unlink()
        assert again.end() == 0, again.said

    assert visits.lost == []
    assert "Reusing slug" in again.said
    ended = shop.server.record(f"releases:info shop {begun['release']}")
    assert ended["status"] == "failed"
    assert "the server was stopped while its release command ended with exit code 0" in str(
        ended["error"]
    )
    kept = shop.server.ssh(f"releases:output shop {begun['release']}", check=True).stdout
    assert f"release of {begun['release']} begins" in kept
    assert f"release of {begun['release']} ends" in kept
    assert shop.server.get(shop.app).body == shop.body
    assert_tidy(shop)


def test_killed_while_the_new_version_starts(shop: Shop) -> None:
    body, live = shop.body, shop.repository.head
    hold = shop.hold("boot")
    shop.next_version()
    with visiting(shop.server, shop.app) as visits:
        push = shop.repository.start_push()
        shop.arrived("boot")
        killed_and_started(shop, push)

    assert_untouched(shop, visits, body, live)
    failed = shop.last()
    assert failed["status"] == "failed"
    assert failed["error"] == "the server was stopped while it was starting"
    hold.unlink()
    again = shop.repository.push()
    assert again.returncode == 0, again.stderr
    assert "Reusing slug" in again.stderr
    assert_next_push_works(shop)


def test_killed_while_traffic_is_switched(shop: Shop) -> None:
    body, live = shop.body, shop.repository.head
    slow: list[Answer] = []
    visitor = threading.Thread(target=lambda: slow.append(shop.server.get("shop", "/slow?4")))
    shop.next_version()
    with visiting(shop.server, shop.app) as visits:
        visitor.start()
        push = shop.repository.start_push()
        push.wait_for("traffic goes to")
        killed_and_started(shop, push)
        visitor.join(60)

    # Whoever asked in between was answered by the new version, which then had to go again.
    assert visits.lost == []
    assert visits.bodies[0] == body
    assert set(visits.bodies) <= {body, shop.body}
    assert (slow[0].status, slow[0].body) == (200, body)
    assert shop.server.get(shop.app).body == body
    assert shop.repository.remote_main == live
    assert shop.last()["error"] == "the server was stopped while it was switching"
    assert_tidy(shop)
    assert_next_push_works(shop)


def test_killed_when_the_new_version_is_live(shop: Shop) -> None:
    hold = shop.hold("stop")
    commit = shop.next_version()
    with visiting(shop.server, shop.app) as visits:
        push = shop.repository.start_push()
        shop.arrived("stop")
        killed_and_started(shop, push)
        hold.unlink()
        wait_until(
            lambda: len(shop.containers("task")) == 1,
            30,
            lambda: "the old version is still there",
        )

    assert visits.lost == []
    assert visits.bodies[-1] == shop.body
    assert shop.last()["status"] == "live"
    assert shop.repository.remote_main == commit
    assert_next_push_works(shop)


def test_killed_at_rest_changes_nothing(shop: Shop) -> None:
    tasks, before = shop.containers("task"), shop.server.ledger("shop")
    with visiting(shop.server, shop.app) as visits:
        shop.server.kill()
        assert shop.server.get(shop.app).body == shop.body
        shop.server.start()

    assert_untouched(shop, visits, shop.body, shop.repository.head)
    assert shop.containers("task") == tasks
    assert shop.server.ledger("shop") == before


def test_sigterm_ends_with_0_while_apps_and_nginx_serve(shop: Shop) -> None:
    tasks = shop.containers("task")
    with visiting(shop.server, shop.app) as visits:
        assert shop.server.stop() == 0
        assert shop.repository.push().returncode != 0
        assert shop.server.get(shop.app).body == shop.body
        shop.server.start()

    assert_untouched(shop, visits, shop.body, shop.repository.head)
    assert shop.containers("task") == tasks


def test_sigterm_cancels_what_is_being_built(shop: Shop) -> None:
    live = shop.repository.head
    for name, text in SLOW_PACKAGE.items():
        shop.repository.write(name, text)
    shop.repository.commit("A package that takes ten minutes")
    push = shop.repository.start_push()
    push.wait_for("Installing dependencies")

    assert shop.server.stop() == 0

    assert push.end() == 1
    assert "! [remote rejected] main -> main (" in push.said
    assert "the server is being stopped" in push.said
    shop.repository.git("reset", "-q", "--hard", live)
    shop.server.start()
    assert_tidy(shop)


def test_sigterm_waits_for_a_release_command(shop: Shop) -> None:
    hold = shop.hold("release")
    commit = shop.next_version()
    push = shop.repository.start_push()
    shop.arrived("release")
    ended: list[int] = []
    stopper = threading.Thread(target=lambda: ended.append(shop.server.stop()))
    stopper.start()
    wait_until(lambda: "stopping:" in shop.server.log()[-500:], 20, lambda: "it does not stop")
    hold.unlink()
    stopper.join(60)

    assert ended == [0]
    assert push.end() == 0, push.said
    assert shop.server.get(shop.app).body == shop.body
    shop.server.start()
    assert shop.repository.remote_main == commit
    assert shop.last()["status"] == "live"
    assert_tidy(shop)


def test_a_server_without_its_database_does_not_start_and_touches_nothing(
    own_server: Server, repo: MakeRepository
) -> None:
    app = repo("hello", on=own_server)
    app.push(check=True)
    own_server.stop()
    database = own_server.home / "pushdeploy.sqlite3"
    database.rename(own_server.root / "elsewhere.sqlite3")

    with pytest.raises(AssertionError, match=r"pushdeploy\.sqlite3 is missing"):
        own_server.start()

    assert own_server.get(app.app).status == 200
    assert not database.exists()
    (own_server.root / "elsewhere.sqlite3").rename(database)
    own_server.start()
    assert own_server.ssh(f"url {app.app}").returncode == 0
