"""What can be pushed: a Dockerfile, an app without a language, Django with its data on a disk."""

import subprocess
from collections.abc import Iterator

import pytest
from uv import find_uv_bin

from tests.stories.conftest import MakeRepository
from tests.stories.harness import Server
from tests.stories.leftovers import stack_image

pytestmark = pytest.mark.docker


@pytest.fixture
def base() -> Iterator[str]:
    """The Dockerfile's base, under a name of this story's own."""
    name = "pushdeploy-story/base:latest"
    subprocess.run(["docker", "tag", stack_image(), name], check=True)
    yield name
    subprocess.run(["docker", "rmi", "--no-prune", name], check=True, capture_output=True)


def test_a_dockerfile_decides_alone(server: Server, repo: MakeRepository, base: str) -> None:
    repository = repo("dockerfile")
    app = repository.app
    server.ssh(f"apps:create {app}", check=True)
    server.ssh(f"config:set {app} BUILD_ENV=BASE BASE={base} SECRET=of-the-app", check=True)

    result = repository.push()

    assert result.returncode == 0, result.stderr
    assert "Building Dockerfile" in result.stderr
    assert server.get(app).body == "hello from a Dockerfile\n"
    inside = server.ssh(f"run {app} 'id -u; pwd; echo $SECRET'")
    assert inside.stdout.splitlines() == ["1000", "/srv", "of-the-app"]
    history = subprocess.run(
        ["docker", "history", "--no-trunc", str(server.json(f"releases {app}")[0]["slug"])],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert "of-the-app" not in history

    repository.write("Dockerfile", f"FROM {base}\nRUN echo the step that breaks && false\n")
    repository.commit()
    broken = repository.push()
    assert broken.returncode == 1
    assert "build failed: RUN echo the step that breaks && false ended with" in broken.stderr
    assert "the step that breaks" in broken.stderr
    assert server.get(app).body == "hello from a Dockerfile\n"


def test_a_procfile_of_any_language_is_enough(server: Server, repo: MakeRepository) -> None:
    repository = repo("echo")
    result = repository.push()
    assert result.returncode == 0, result.stderr
    assert "null app: found Procfile" in result.stderr
    assert server.get(repository.app).body == "no echoes\n"


def test_a_source_that_nobody_can_build_is_told_what_was_looked_for(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("hello")
    for name in ("Procfile", "web.py", "worker.py"):
        (repository.path / name).unlink()
    repository.commit("Nothing left")
    result = repository.push()
    assert result.returncode == 1
    assert "build failed: no builder knows what this app is" in result.stderr
    for wanted in ("dockerfile: wants", "python: wants requirements.txt", "found: VERSION"):
        assert wanted in result.stderr


def test_django_is_built_migrated_and_keeps_its_notes(server: Server, repo: MakeRepository) -> None:
    repository = repo("notes")
    app = repository.app
    server.ssh(f"apps:create {app}", check=True)
    server.ssh(f"disks:attach {app} data /data", check=True)

    first = repository.push()

    assert first.returncode == 0, first.stderr
    assert "Installing dependencies of requirements.txt with uv" in first.stderr
    assert "Applying notes.0001_initial... OK" in first.stderr
    assert server.get(app, "/api/notes", method="POST", body="remember this").status == 201
    assert "remember this" in server.get(app).body
    stylesheet = next(
        word for word in server.get(app).body.split('"') if word.startswith("/static/")
    )
    assert server.get(app, stylesheet).status == 200

    model = repository.path / "notes" / "models.py"
    model.write_text(
        model.read_text().replace(
            "    created_at", "    loud = models.BooleanField(default=False)\n    created_at"
        )
    )
    repository.write("notes/migrations/0002_loud.py", MIGRATION)
    repository.commit("Notes may be loud")
    second = repository.push()
    assert second.returncode == 0, second.stderr
    assert "dependencies have not changed" in second.stderr
    assert "Applying notes.0002_loud... OK" in second.stderr
    counted = "from notes.models import Note; print(Note.objects.filter(loud=False).count())"
    shown = server.ssh(f'run {app} python manage.py shell -v 0 -c "{counted}"')
    assert shown.stdout.splitlines()[-1] == "1", shown.stderr

    repository.write(
        "notes/migrations/0003_fails.py",
        MIGRATION.replace("0001_initial", "0002_loud").replace(
            "BooleanField(default=False)", "X()"
        ),
    )
    repository.commit("A migration that fails")
    third = repository.push()
    assert third.returncode == 1
    assert "release failed: the release command of v3 ended with exit code 1" in third.stderr
    assert "has no attribute 'X'" in third.stderr
    assert "remember this" in server.get(app).body


APP_JSON = """{"env": {
    "GREETING": "hello",
    "SECRET_KEY": {"generator": "secret"},
    "TOKEN": {"description": "of the mail service"}
}}"""


def test_what_app_json_asks_for_is_set_or_named(server: Server, repo: MakeRepository) -> None:
    repository = repo("hello")
    app = repository.app
    repository.write("app.json", APP_JSON)
    repository.write("Aptfile", "ffmpeg\n")
    repository.write("db.sqlite3", "")
    repository.commit()

    refused = repository.push()

    assert refused.returncode == 1
    assert "build failed: app.json requires TOKEN, and nobody has set it" in refused.stderr
    secret = server.ssh(f"config:get {app} SECRET_KEY", check=True).stdout
    assert len(secret.strip()) == 64
    server.ssh(f"config:set {app} TOKEN=of-mine", check=True)

    accepted = repository.push()

    assert accepted.returncode == 0, accepted.stderr
    assert "Aptfile is not read: packages of Debian need a Dockerfile" in accepted.stderr
    assert f"worker is not started: ssh deploy ps:scale {app} worker=1 does" in accepted.stderr
    assert f"ssh deploy disks:attach {app} data /data" in accepted.stderr
    assert server.ssh(f"config:get {app} SECRET_KEY", check=True).stdout == secret
    assert server.ssh(f"config:get {app} GREETING", check=True).stdout == "hello\n"


STOCK_PROCFILE = """\
release: python manage.py migrate --noinput
web: gunicorn mysite.wsgi --bind 0.0.0.0:$PORT
"""


def test_a_stock_django_project_is_deployed_and_told_what_it_lacks(
    server: Server, repo: MakeRepository
) -> None:
    repository = repo("hello")
    app = repository.app
    for name in ("Procfile", "web.py", "worker.py"):
        (repository.path / name).unlink()
    words = ["run", "--quiet", "--no-project", "--with", "django", "django-admin", "startproject"]
    subprocess.run([find_uv_bin(), *words, "mysite", "."], cwd=repository.path, check=True)
    repository.write("requirements.txt", "django\ngunicorn\n")
    repository.write("Procfile", STOCK_PROCFILE)
    repository.commit("As startproject leaves it")

    stock = repository.push()

    assert stock.returncode == 0, stock.stderr
    assert f"or: ssh deploy config:set {app} DISABLE_COLLECTSTATIC=1" in stock.stderr


MIGRATION = """\
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("notes", "0001_initial")]
    operations = [migrations.AddField("note", "loud", models.BooleanField(default=False))]
"""
