"""An app in two languages: one builds its part before that of the main one, on the same stack."""

from pathlib import Path

import pytest

from pushdeploy.build.choice import choose, parts_of
from pushdeploy.build.containers import BuildSettings
from pushdeploy.build.keys import KeyPrefix, slug_key
from pushdeploy.build.language import Circumstances, Language, Tools
from pushdeploy.build.plan import BuildCommand, Finish, Install, LayeredPlan
from pushdeploy.build.stacks import Stacks
from pushdeploy.build.tree import Tree
from pushdeploy.domain.names import TreeId
from pushdeploy.engine.docker import DockerEngine
from tests.unit.build.conftest import (
    LANGUAGES,
    PYTHON,
    MakeClone,
    MakeTree,
    bench_of,
    circumstances,
)
from tests.unit.build.looking import look

INSTALL = """
cp -r .colours "$COLOURS_CACHE/" && mkdir -p /opt/colours/bin
printf '#!/bin/sh\\necho "$SHADE '"$(cat .colours)"'"\\n' > /opt/colours/bin/paint
chmod +x /opt/colours/bin/paint
"""
PAINT = "mkdir public && paint > public/page && printf /app/public > /tmp/painted"
POST_COMPILE = "tr a-z A-Z < public/page > public/loud"


def _plan(tree: Tree, circumstances: Circumstances) -> LayeredPlan:
    return LayeredPlan(
        stack=circumstances.stacks.usual(),
        runtime="Colours 1",
        install=Install(
            "Mixing colours",
            {".colours": tree.read(".colours")},
            [BuildCommand(["sh", "-ec", INSTALL], shown="mix")],
            ["/opt/colours"],
        ),
        finish=[
            Finish("Painting", BuildCommand(["sh", "-ec", PAINT], shown="paint"), "/tmp/painted")
        ],
        paths=["/opt/colours/bin"],
        environment={"SHADE": "dark"},
    )


COLOURS = Language(
    name="colours",
    order=50,
    version="1",
    wants=".colours",
    detect=lambda tree: tree.first([".colours"]),
    plan=_plan,
    tools=Tools(caches={"COLOURS_CACHE": "colours"}),
    joins=True,
)
BOTH = [*LANGUAGES, COLOURS]
FILES = {
    ".colours": "red",
    "requirements.txt": "",
    ".python-version": "3.11",
    "Procfile": "web: paint",
    "bin/post_compile": POST_COMPILE,
}


def test_a_language_joins_the_main_one_on_its_stack(tree_of: MakeTree) -> None:
    tree = tree_of({**FILES, ".python-version": "3.13"})
    choice = choose(BOTH, tree)

    one, main = parts_of(choice, tree, circumstances())

    assert str(choice).startswith("python app: found requirements.txt, with colours")
    assert (one.language.name, main.language.name) == ("colours", "python")
    assert isinstance(one.plan, LayeredPlan)
    assert isinstance(main.plan, LayeredPlan)
    assert one.plan.stack == main.plan.stack == "trixie"


def test_a_dockerfile_is_joined_by_nobody(tree_of: MakeTree) -> None:
    tree = tree_of({**FILES, "Dockerfile": ""})

    (part,) = parts_of(choose(BOTH, tree), tree, circumstances())

    assert part.language.name == "dockerfile"


def test_a_slug_of_two_languages_has_another_key() -> None:
    tree = TreeId("1" * 40)

    keys = {
        slug_key(KeyPrefix("word", languages, "sha256:stack"), tree, {})
        for languages in ([PYTHON], [COLOURS], [COLOURS, PYTHON])
    }

    assert len(keys) == 3


@pytest.mark.docker
def test_an_app_of_two_languages_has_what_both_have_made(
    engine: DockerEngine, clone: MakeClone, build_settings: BuildSettings, tmp_path: Path
) -> None:
    stacks = Stacks(engine, "auto", tmp_path, None, BOTH)
    bench = bench_of(engine, stacks, build_settings)
    source = clone().commit({**FILES})

    slug = bench.build(source)

    assert (slug.builder, slug.stack) == ("python", "bookworm")
    assert "stack bookworm, Colours 1, Python 3.11" in bench.said
    assert look(engine, slug, "paint; cat public/*; which python; echo $PATH") == [
        "dark red",
        "DARK RED",
        "dark red",
        "/opt/venv/bin/python",
        "/opt/venv/bin:/opt/colours/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ]
    assert bench.builder.caches.directory(1, "colours").joinpath(".colours").read_text() == "red"


@pytest.mark.docker
def test_each_language_keeps_its_dependencies(
    engine: DockerEngine, clone: MakeClone, build_settings: BuildSettings, tmp_path: Path
) -> None:
    bench = bench_of(engine, Stacks(engine, "auto", tmp_path, None, BOTH), build_settings)
    repository = clone()
    bench.build(repository.commit({**FILES, ".colours": "green"}))

    bench.build(repository.commit({"README.md": "more"}))
    assert bench.said.count("dependencies have not changed") == 2

    slug = bench.build(repository.commit({"requirements.txt": "# other"}))
    assert bench.said.count("dependencies have not changed") == 1
    assert "Mixing colours" not in bench.said
    assert look(engine, slug, "paint") == ["dark green"]
