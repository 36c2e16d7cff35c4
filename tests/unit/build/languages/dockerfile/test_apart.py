"""A Dockerfile that reaches for what belongs to another app, with each of the two builders."""

import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from pushdeploy.build.containers import BuildSettings
from pushdeploy.build.languages.dockerfile.checking import text_as_sent
from pushdeploy.build.stacks import Stacks
from pushdeploy.build.tree import Tree
from pushdeploy.domain.errors import BuildFailed
from pushdeploy.domain.slug import Slug
from pushdeploy.engine.docker import DockerEngine
from tests.unit.build.conftest import BOOKWORM, Bench, MakeClone, bench_of

pytestmark = pytest.mark.docker

STACK = BOOKWORM.run_tag
END = 'CMD ["true"]\n'
VICTIM, FORGER = 1, 2


@dataclass
class Ground:
    """A builder, and the slug of an app that has a secret in its source."""

    bench: Bench
    engine: DockerEngine
    clone: MakeClone
    victim: Slug

    @property
    def tag(self) -> str:
        image = self.engine.image(self.victim.image)
        assert image is not None
        return image.tags[0]

    def build(self, dockerfile: str, app_id: int = FORGER, **config: str) -> Slug:
        return self.bench.build(
            self.clone().commit({"Dockerfile": dockerfile}), config, None, app_id
        )

    @property
    def said(self) -> str:
        return self.bench.said


@pytest.fixture(params=["buildkit", "classic"])
def ground(
    request: pytest.FixtureRequest, stacks: Stacks, build_settings: BuildSettings, clone: MakeClone
) -> Iterator[Ground]:
    with DockerEngine(request.getfixturevalue("engine").instance) as engine:
        if request.param == "classic":
            engine._client_probed = True
        elif not engine.build_tool().buildkit:
            pytest.skip("no docker program here can drive BuildKit")
        bench = bench_of(engine, stacks, build_settings)
        source = clone().commit(
            {"Dockerfile": f"FROM {STACK}\nCOPY . /s\n{END}", "key": secrets.token_hex(8)}
        )
        yield Ground(bench, engine, clone, bench.build(source, app_id=VICTIM))


@pytest.mark.parametrize(
    "dockerfile",
    [
        "FROM {tag}\nRUN cat /s/key\n",
        "FROM docker.io/{tag}\nRUN cat /s/key\n",
        "ARG WHERE={tag}\nFROM $WHERE\nRUN cat /s/key\n",
        "ARG WHERE\nFROM $WHERE\nRUN cat /s/key\n",
        "FROM {tag} AS one\nFROM {stack}\nCOPY --from=one /s /s\n",
        "FROM {stack}\nCOPY --from={tag} /s /s\nRUN cat /s/key\n",
        "FROM {stack}\nRUN --mount=type=bind,from={tag},target=/m cat /m/s/key\n",
        "FROM {stack}\nRUN true \\\n   # what follows is the next line\nFROM {tag}\n",
        "FROM {stack}\nONBUILD COPY --from={tag} /s /s\n",
        "FROM {id}\nRUN cat /s/key\n",
        "FROM {short}\nRUN cat /s/key\n",
        "# syntax={tag}\nFROM {stack}\n",
    ],
)
def test_no_other_apps_image_can_be_named(ground: Ground, dockerfile: str) -> None:
    digest = ground.victim.image
    names = {"tag": ground.tag, "stack": STACK, "id": digest, "short": digest[7:19]}

    with pytest.raises(BuildFailed) as refused:
        ground.build(dockerfile.format(**names) + END, WHERE=ground.tag, BUILD_ENV="WHERE")

    assert "of the Dockerfile: " in refused.value.message or "# syntax" in refused.value.message
    assert refused.value.hint


def test_a_trigger_of_an_image_that_somebody_made_by_hand_names_none_either(
    ground: Ground,
) -> None:
    base = f"builds-test-{secrets.token_hex(4)}"
    context = f"FROM {STACK}\nONBUILD COPY --from={ground.tag} /s /s\n"
    subprocess.run(
        ["docker", "build", "-q", "-t", base, "-"],
        input=context,
        text=True,
        check=True,
        env={"DOCKER_BUILDKIT": "0", "PATH": "/usr/bin:/bin"},
    )
    try:
        with pytest.raises(BuildFailed, match=r"COPY --from .* is the slug of an app"):
            ground.build(f"FROM {base}\n{END}")
    finally:
        subprocess.run(["docker", "rmi", base], check=True, capture_output=True)


def test_a_stage_may_have_any_name_and_stacks_are_for_all(ground: Ground) -> None:
    slug = ground.build(
        f"ARG BASE={STACK}\nFROM $BASE AS made\nRUN echo mine >/made\n"
        f"FROM {STACK}\nCOPY --from=made /made /made\nRUN cat /made\n{END}"
    )
    assert ground.engine.image(slug.image) is not None


def test_a_step_that_another_app_has_run_is_run_anew(ground: Ground) -> None:
    """Its result may depend on a secret or a proxy of that app, which no key of a cache tells."""
    new = f"cat /proc/sys/kernel/random/uuid >/u && cat /u # {secrets.token_hex(4)}"
    step = f"FROM {STACK}\nRUN {new}\n{END}"
    first = ground.build(step, VICTIM)
    other = ground.build(step, FORGER)
    again = ground.build(step + "ENV A=1\n", VICTIM)

    layers = [_layers(slug) for slug in (first, other, again)]
    assert layers[0][-1] != layers[1][-1]
    assert layers[0][-1] == layers[2][-1], "its own is found again"


def _layers(slug: Slug) -> list[str]:
    words = ["docker", "image", "inspect", "-f", "{{range .RootFS.Layers}}{{.}} {{end}}"]
    shown = subprocess.run([*words, slug.image], check=True, capture_output=True, text=True)
    return shown.stdout.split()


def test_a_cache_mount_is_the_apps_own_whatever_its_id(ground: Ground) -> None:
    if not ground.engine.build_tool().buildkit:
        pytest.skip("the classic builder has no mounts")
    cache = f"shared-{secrets.token_hex(4)}"
    scope = ground.bench.builder.caches.scope(VICTIM)
    step = (
        f"FROM {STACK}\nRUN --mount=type=cache,id={{id}},target=/c"
        f" cat /c/planted 2>&1; echo by {{app}} >>/c/planted # {{turn}}\n{END}"
    )

    ground.build(step.format(id=cache, app="victim", turn=1), VICTIM)
    for guess in (cache, f"{scope[:8]}/{cache}"):
        ground.build(step.format(id=guess, app="forger", turn=1))
    assert "by victim" not in ground.said.replace("echo by victim", "")
    ground.build(step.format(id=cache, app="victim", turn=2), VICTIM)

    said = [line for line in ground.said.splitlines() if "echo" not in line]
    assert any("by victim" in line for line in said), "its own is still there"
    assert not any("by forger" in line for line in said)


@pytest.mark.parametrize("name", ["BUILDKIT_SYNTAX", "BUILDKIT_CACHE_MOUNT_NS"])
def test_no_argument_chooses_how_the_builder_works(ground: Ground, name: str) -> None:
    with pytest.raises(BuildFailed, match=f"{name} cannot be an argument"):
        ground.build(f"FROM {STACK}\nARG {name}\n{END}", FORGER, **{name: "x", "BUILD_ENV": name})


def test_a_dockerfile_that_is_a_link_is_read_where_it_leads(ground: Ground) -> None:
    app = ground.clone()
    app.commit({"docker/Hidden": f"FROM {ground.tag}\nRUN cat /s/key\n{END}"})
    (app.path / "Dockerfile").symlink_to("docker/Hidden")

    with pytest.raises(BuildFailed, match="is the slug of an app"):
        ground.bench.build(app.commit({}), app_id=FORGER)


def test_what_a_filter_of_git_makes_of_a_dockerfile_is_what_is_checked(ground: Ground) -> None:
    app = ground.clone()
    dockerfile = f"FROM {STACK}\nRUN true \\\n  && true\n{END}"
    source = app.commit({"Dockerfile": dockerfile, ".gitattributes": "* text eol=crlf\n"})
    assert "\r\n" in text_as_sent(Tree.of(source.reader), "Dockerfile")
    ground.bench.build(source, app_id=FORGER)


def test_a_value_that_builds_see_is_nowhere_in_the_image(ground: Ground) -> None:
    """With BuildKit a step may mount it; the classic builder gives it to no step."""
    secret = secrets.token_hex(12)
    mounts = ground.engine.build_tool().buildkit
    mount = "--mount=type=secret,id=TOKEN" if mounts else ""
    step = f"RUN {mount} cat /run/secrets/TOKEN && echo see$((1+1))n; env\n"

    slug = ground.build(f"FROM {STACK}\n{step}{END}", TOKEN=secret, BUILD_ENV="TOKEN")

    assert ("see2n" in ground.said) is mounts
    assert secret not in ground.said
    for words in (["history", "--no-trunc"], ["image", "inspect"], ["save"]):
        shown = subprocess.run(["docker", *words, slug.image], check=True, capture_output=True)
        assert secret.encode() not in shown.stdout
