"""What Dokku's client script sends: with a terminal, the app before the command.

It takes the app from the git remote, and so sends it for commands that name it themselves too.
"""

import pytest

from tests.stories.conftest import MakeRepository, MakeServer
from tests.stories.harness import Result

pytestmark = pytest.mark.docker


def test_an_app_lives_its_life_by_what_the_client_of_dokku_sends(
    make_server: MakeServer, repo: MakeRepository
) -> None:
    server = make_server()  # for what is set for all apps
    repository = repo("hello", on=server)
    app = repository.app

    def sent(words: str, status: int = 0) -> Result:
        """The space keeps the flag from OpenSSH, as the client's ``--`` does."""
        done = server.ssh(f" --app {app} {words}", tty=True)
        assert done.returncode == status, done.stdout + done.stderr
        return done

    sent(f"apps:create {app}")
    sent("ps:scale worker=1")
    sent("config:set COLOUR=red COLOUR=blue")
    repository.push(check=True)
    assert sent("config:get COLOUR").stdout.splitlines() == ["blue"]
    assert sent("config:get GIT_REV").stdout.strip() == repository.head
    assert "running:" in sent("ps:report").stdout.lower()
    assert sent("ps:report --processes").stdout.strip() == "2"
    sent("config:set --global SHARED=1")
    told = sent("run 'echo $COLOUR $SHARED $GIT_REV'").stdout
    assert told.split() == ["blue", "1", repository.head]
    sent("config:unset --global SHARED")
    sent("domains:set .example.com")
    assert "*.example.com" in sent("domains:report --domains-app-vhosts").stdout
    sent("git:set deploy-branch main")
    assert "apps:set " + app in sent("nginx:set client-max-body-size 50m", 1).stdout
    assert app in server.ssh("apps", tty=True).stdout
    sent(f"apps:clone {app[:20]}-two")
    server.ssh(f" --app {app[:20]}-two apps:destroy --force", tty=True, check=True)
    sent(f"apps:destroy {app} --force")
    sent(f"apps:exists {app}", 20)
