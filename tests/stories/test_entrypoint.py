"""A Dockerfile with an ENTRYPOINT and a Procfile: the one is handed the commands of the other."""

import pytest

from tests.stories.conftest import MakeRepository
from tests.stories.harness import Server
from tests.stories.leftovers import stack_image

pytestmark = pytest.mark.docker

WRAPPER = """\
#!/bin/sh
export PREPARED=by-the-entrypoint
exec "$@"
"""
ENTRY = 'ENTRYPOINT ["sh", "/srv/wrapper"]\n'
RELEASE = "release: echo released $PREPARED && exit ${CODE:-0}"


def test_an_entrypoint_comes_before_every_command(server: Server, repo: MakeRepository) -> None:
    repository = repo("dockerfile")
    app = repository.app
    repository.write("wrapper", WRAPPER)
    repository.write("Dockerfile", f"FROM {stack_image()}\nCOPY . /srv\nWORKDIR /srv\n{ENTRY}")
    repository.write("Procfile", f"web: python3 -m http.server $PORT\n{RELEASE}\nworker: ./tell\n")
    repository.write("tell", "#!/bin/sh\necho worker $PREPARED; exec sleep 600\n")
    repository.commit()

    first = repository.push()

    assert first.returncode == 0, first.stderr
    assert "are handed to the image's ENTRYPOINT: sh /srv/wrapper" in first.stderr
    assert "released by-the-entrypoint" in first.stderr
    assert server.get(app, "/Procfile").status == 200
    typed = server.ssh(f"run {app} printenv PREPARED")
    assert typed.stdout == "by-the-entrypoint\n", typed.stderr
    assert server.ssh(f"run {app} sh -c 'exit 7'").returncode == 7
    failed = server.ssh(f"config:set {app} CODE=3")
    assert failed.returncode == 1
    assert "ended with exit code 3" in failed.stdout + failed.stderr


def test_an_entrypoint_that_is_a_program_gets_words(server: Server, repo: MakeRepository) -> None:
    repository = repo("dockerfile")
    repository.write("Dockerfile", f'FROM {stack_image()}\nENTRYPOINT ["python3", "-m"]\n')
    repository.write("Procfile", "web: http.server $PORT --directory /etc\n")
    repository.commit()

    result = repository.push()

    assert result.returncode == 0, result.stderr
    assert "root:" in server.get(repository.app, "/passwd").body
