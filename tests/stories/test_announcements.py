"""A push says that an app is live only where its address answers, and else what to type."""

import pytest

from tests.stories.conftest import MakeRepository
from tests.stories.harness import DOMAIN, Server

pytestmark = pytest.mark.docker

STRICT = """\
import http.server, os

class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.headers["Host"] == "www.example.com" else 400)
        self.end_headers()

http.server.HTTPServer(("", int(os.environ["PORT"])), Page).serve_forever()
"""


def test_a_push_says_what_answers_and_else_what_to_type(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("hello")
    app = repository.app
    web = (repository.path / "Procfile").read_text()
    repository.write("Procfile", web.replace("web:", "Web:"))
    repository.commit()

    misspelled = repository.push(check=True).stderr
    assert "the Procfile says Web: did you mean web?" in misspelled
    assert (
        f"{app} v1 is live, without web: http://{app}.{DOMAIN}:{server.http_port} does not answer"
        in misspelled
    )
    assert server.get(app).status == 503

    repository.write("Procfile", web)
    repository.commit()
    answering = repository.push(check=True).stderr
    assert f"{app} v2 is live: http://{app}.{DOMAIN}:{server.http_port}" in answering
    assert "does not answer" not in answering
    assert server.get(app).status == 200

    server.ssh(f"ps:scale {app} web=0", check=True)
    none = server.ssh(f"ps:rebuild {app}", check=True)
    assert f"ps:scale {app} web=1 starts web" in none.stdout + none.stderr

    server.ssh(f"ps:scale {app} web=1", check=True)
    server.ssh(f"ps:stop {app}", check=True)
    repository.write("VERSION", "4\n")
    repository.commit()
    stopped = repository.push(check=True).stderr
    assert f"{app} v4 is released, but {app} is stopped" in stopped
    assert f"{app} is stopped, and no process of it starts" in stopped
    assert "side by side" not in stopped
    assert f"ps:start {app} starts it" in stopped
    server.ssh(f"ps:start {app}", check=True)
    assert server.get(app).body == "hello from version 4\n"


def test_an_app_that_refuses_its_own_host_is_live_with_a_warning(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("hello")
    repository.write("web.py", STRICT)
    repository.commit()

    pushed = repository.push(check=True).stderr

    host = f"{repository.app}.{DOMAIN}"
    assert f"a visitor of http://{host}/ gets status 400" in pushed
    assert f"ALLOWED_HOSTS must have {host}" in pushed
    assert server.get(repository.app).status == 400
