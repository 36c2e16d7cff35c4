"""An app that reaches for what is another app's, by a push."""

import subprocess

import pytest

from tests.stories.conftest import MakeRepository
from tests.stories.harness import Server
from tests.stories.leftovers import stack_image

pytestmark = pytest.mark.docker


def test_a_dockerfile_cannot_read_another_apps_source(server: Server, repo: MakeRepository) -> None:
    victim = repo("echo")
    victim.write("private/notes", "nobody else is to read this\n")
    victim.commit()
    victim.push(check=True)
    slug = str(server.json(f"releases {victim.app}")[0]["slug"])
    shown = ["docker", "image", "inspect", "-f", "{{index .RepoTags 0}}", slug]
    tag = subprocess.run(shown, check=True, capture_output=True, text=True).stdout.strip()
    forger = repo("dockerfile")

    for number, step in enumerate(
        [
            f"FROM {tag}\nRUN cat /app/private/notes",
            f"FROM {stack_image()}\nCOPY --from={tag} /app /stolen\nRUN cat /stolen/private/notes",
            f"FROM {slug}\nRUN cat /app/private/notes",
            f"FROM {stack_image()}\nRUN : \\\u0085\nCOPY --from={tag} /app /s\nRUN cat /s/*/notes",
        ]
    ):
        forger.write("Dockerfile", f"{step}\n# {number}\nCMD ['true']\n")
        forger.commit()
        result = forger.push()
        assert result.returncode == 1
        assert "build failed: line " in result.stderr
        assert tag in result.stderr or slug in result.stderr
        assert "nobody else" not in result.stderr
