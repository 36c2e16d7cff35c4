"""What a build has made, looked at from inside; and the least that a source needs."""

from pushdeploy.build.containers import run_to_end, temporary
from pushdeploy.domain.cancel import Cancellation
from pushdeploy.domain.container import ContainerSpec, ImageInfo
from pushdeploy.domain.slug import Slug
from pushdeploy.engine.docker import DockerEngine
from tests.stories.means import wait_until

SETUP = """
import setuptools, sys, time
print("setup.py is at work", file=sys.stderr, flush=True)
{what}
setuptools.setup(name="slow", version="1")
"""

PROCFILE = "web: python app.py\n"


def look(engine: DockerEngine, slug: Slug, script: str) -> list[str]:
    """What a shell script says in a container of the slug, run as an app is."""
    spec = ContainerSpec(
        image=slug.image,
        name=f"pushdeploy-{engine.instance}-look",
        labels={},
        command=["sh", "-c", script],
        user="20001:1000" if slug.runs_as == "app" else None,
    )
    lines: list[str] = []

    def hear(line: str) -> bool:
        lines.append(line)
        return True

    with temporary(engine, spec) as container:
        run_to_end(engine, container, hear, 60, Cancellation())
    return lines


def image_of(engine: DockerEngine, slug: Slug) -> ImageInfo:
    image = engine.image(slug.image)
    assert image is not None
    return image


def assert_nothing_is_left(engine: DockerEngine) -> None:
    """A moment after a build: its containers are removed while the slug goes on its way."""
    wait_until(lambda: not engine.containers({}), 10, lambda: str(engine.containers({})))
