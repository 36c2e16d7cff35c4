"""Which folder of an app is published, and what people get wrong about it."""

from dataclasses import replace

import pytest

from pushdeploy.build.choice import choose, parts_of
from pushdeploy.build.keys import KeyPrefix, slug_key
from pushdeploy.build.plan import LayeredPlan, Publication
from pushdeploy.build.processes import ProcessCommands
from pushdeploy.build.publishing import (
    VERSION,
    processes_beside,
    published_folder,
    publishing,
    usual_folder,
    wish_of,
    without_installing,
)
from pushdeploy.domain.errors import BuildFailed
from pushdeploy.domain.names import ProcessType, TreeId
from tests.unit.build.conftest import LANGUAGES, PYTHON, FilesInMemory, MakeTree, circumstances

PLAN = LayeredPlan("bookworm")


def chosen(tree_of: MakeTree, *names: str, **contents: str) -> tuple[str, Publication | None]:
    """The main language of a tree, and what it publishes."""
    files = {**dict.fromkeys(names, "x"), **contents}
    tree = tree_of({name.replace("__", "."): text for name, text in files.items()})
    part = parts_of(choose(LANGUAGES, tree), tree, circumstances())[-1]
    assert isinstance(part.plan, LayeredPlan)
    return part.language.name, part.plan.publishes


def refusal(tree_of: MakeTree, *names: str, **contents: str) -> str:
    with pytest.raises(BuildFailed) as caught:
        chosen(tree_of, *names, **contents)
    assert caught.value.hint
    return caught.value.message


@pytest.mark.parametrize("folder", ["", "public", "dist", "build", "_site", "out"])
def test_a_folder_with_an_index_is_a_site_by_its_looks(tree_of: MakeTree, folder: str) -> None:
    index = f"{folder}/index.html".lstrip("/")
    assert chosen(tree_of, index, "README.md") == (
        "static",
        Publication(folder, "it has index.html"),
    )


def test_a_file_names_any_folder_of_any_language(tree_of: MakeTree) -> None:
    said = '{root: "web/", build: "make"} // with a comment'
    wanted = Publication("web", "static.json", "make")
    assert chosen(tree_of, static__json=said) == ("static", wanted)
    assert chosen(tree_of, "requirements.txt", static__json=said) == ("python", wanted)
    also = '{"static": {"root": "web", "build": "make"}}'
    assert chosen(tree_of, app__json=also) == ("static", replace(wanted, why="app.json"))
    assert chosen(tree_of, app__json=also, static__json=said) == ("static", wanted)


def test_a_file_that_names_no_folder_means_the_one_that_looks_like_it(tree_of: MakeTree) -> None:
    assert chosen(tree_of, "dist/index.html", static__json="{}") == (
        "static",
        Publication("dist", "static.json"),
    )
    said = refusal(tree_of, static__json="{}")
    assert said == "static.json does not say which folder is the site"


@pytest.mark.parametrize("root", ["/", ".", "./", ""])
def test_a_point_is_the_top_directory(tree_of: MakeTree, root: str) -> None:
    found = wish_of(tree_of({"static.json": f'{{"root": "{root}"}}'}))
    assert found is not None
    assert published_folder(found).path == "/app"
    assert published_folder(found).shown == "the top directory"


@pytest.mark.parametrize("root", ["..", "../x", "a/../../b", "/../etc", "\\u0000"])
def test_a_folder_outside_of_the_app_is_refused(tree_of: MakeTree, root: str) -> None:
    assert "outside of the app" in refusal(tree_of, static__json=f'{{"root": "{root}"}}')


def test_a_folder_that_is_not_there_and_that_nothing_makes_is_named(tree_of: MakeTree) -> None:
    said = refusal(tree_of, "index.html", static__json='{"root": "dist"}')
    assert said == "static.json publishes dist/, which is not in the commit"


def test_several_folders_that_look_alike_are_named(tree_of: MakeTree) -> None:
    said = refusal(tree_of, "dist/index.html", "public/index.html")
    assert said == "there are public/index.html and dist/index.html: which folder is the site?"


def test_two_files_that_say_different_things_are_named(tree_of: MakeTree) -> None:
    said = refusal(
        tree_of, "a/x", static__json='{"root": "a"}', app__json='{"static": {"root": "b"}}'
    )
    assert said == "static.json publishes a/, and app.json b/"


@pytest.mark.parametrize("text", ["{", "[]", '"x"', '{"root": 1}', '{"build": ["make"]}'])
def test_a_file_that_cannot_be_read_is_named(tree_of: MakeTree, text: str) -> None:
    assert refusal(tree_of, static__json=text).startswith("static.json")


def test_what_runs_goes_before_what_looks_like_a_site(tree_of: MakeTree) -> None:
    assert chosen(tree_of, "index.html", "requirements.txt") == ("python", None)
    assert chosen(tree_of, "public/index.html", Procfile="web: x") == ("null", None)
    assert chosen(tree_of, "public/index.html", Procfile="worker: x") == ("null", None)
    assert chosen(tree_of, "public/index.html", Procfile="release: x")[0] == "static"


def test_pages_of_a_program_that_is_not_built_here_are_no_site(tree_of: MakeTree) -> None:
    assert "no builder knows" in refusal(tree_of, "public/index.html", "package.json")


def test_other_processes_may_run_beside_a_site_and_web_may_not(tree_of: MakeTree) -> None:
    tree = tree_of({"Procfile": "release: make news\nworker: x\n"})
    assert processes_beside(tree) == ProcessCommands({ProcessType("worker"): "x"}, "make news")
    assert processes_beside(tree_of({})) == ProcessCommands({}, None)
    with pytest.raises(BuildFailed, match="has a web process"):
        processes_beside(tree_of({"Procfile": "web: x"}))


def test_a_plan_that_publishes_runs_its_command_last_and_nothing_by_itself(
    tree_of: MakeTree,
) -> None:
    plan = replace(PLAN, default_processes={ProcessType("web"): "serve"})
    made = publishing(plan, Publication("site", "static.json", "mkdocs build"), tree_of({}))
    assert made.default_processes == {}
    assert str(made.finish[-1].command) == "mkdocs build"
    explain = made.finish[-1].command.explain
    missing = explain(["pushdeploy: the folder is missing"])
    assert missing is not None
    assert missing.message == "mkdocs build has ended well, but there is no site/"
    assert explain(["something else"]) is None
    assert explain([]) is None


def test_a_site_is_another_slug_than_the_app_of_the_same_tree() -> None:
    prefix = KeyPrefix("word", [PYTHON], "sha256:stack")
    site = replace(prefix, publishing=VERSION)
    tree = TreeId("1" * 40)
    assert slug_key(prefix, tree, {}) != slug_key(site, tree, {})


def test_a_link_to_a_page_counts_as_one(tree_of: MakeTree) -> None:
    tree = replace(
        tree_of({"index.html": "other.html", "other.html": "x"}), links=frozenset({"index.html"})
    )
    assert isinstance(tree.reader, FilesInMemory)
    assert usual_folder(tree) == Publication("", "it has index.html")


RENDER = """
services:
  - {type: web, runtime: python, name: api, startCommand: gunicorn}
  - type: web
    name: shop
    runtime: static
    rootDir: docs
    buildCommand: pip install -r requirements.txt && mkdocs build
    staticPublishPath: ./site
"""


def test_a_blueprint_of_render_names_the_folder_and_what_makes_it(tree_of: MakeTree) -> None:
    wanted = Publication("docs/site", "render.yaml", "cd docs && mkdocs build")
    assert chosen(tree_of, "docs/index.md", render__yaml=RENDER) == ("static", wanted)
    assert chosen(tree_of, "requirements.txt", render__yaml=RENDER) == ("python", wanted)
    several = RENDER + "  - {type: web, env: static, name: other, staticPublishPath: x}\n"
    assert chosen(tree_of, render__yaml=several) == ("static", wanted)
    alone = several.replace("shop", "blog").replace("runtime: python", "runtime: static")
    said = refusal(tree_of, render__yaml=alone)
    assert said == "render.yaml has several static services: api, blog, other"


def test_a_static_service_is_not_the_app_beside_it(tree_of: MakeTree) -> None:
    """``api`` and ``frontend`` in one repository are two apps."""
    two = RENDER.replace("name: shop", "name: frontend")
    assert chosen(tree_of, "requirements.txt", render__yaml=two) == ("python", None)
    assert chosen(tree_of, "requirements.txt", render__yaml=two, Procfile="web: x")[1] is None
    assert chosen(tree_of, render__yaml=two, Procfile="web: x") == ("null", None)
    several = two + "  - {type: web, env: static, name: other, staticPublishPath: x}\n"
    assert chosen(tree_of, "requirements.txt", render__yaml=several) == ("python", None)
    assert refusal(tree_of, "docs/index.md", render__yaml=two) == (
        "render.yaml has no static service called shop: it has frontend"
    )
    tree = tree_of({"requirements.txt": "", "render.yaml": two})
    (part,) = parts_of(choose(LANGUAGES, tree), tree, circumstances())
    told = "render.yaml has static services for apps of their names: frontend"
    assert told in part.plan.notices


def test_the_only_kind_of_service_is_the_app_whatever_its_name(tree_of: MakeTree) -> None:
    only = "services: [{runtime: static, name: blog, staticPublishPath: out}]"
    wanted = Publication("out", "render.yaml")
    assert chosen(tree_of, "out/x", render__yaml=only) == ("static", wanted)


def test_a_blueprint_without_a_static_service_is_of_no_account(tree_of: MakeTree) -> None:
    assert chosen(tree_of, "requirements.txt", render__yaml="services: [{type: web}]") == (
        "python",
        None,
    )
    assert wish_of(tree_of({"render.yaml": "services: 5"})) is None
    assert wish_of(tree_of({"render.yaml": ""})) is None


@pytest.mark.parametrize(
    "text",
    [
        *("services: [", "a: *b", "\t- x", "services: [{runtime: static, staticPublishPath: 1}]"),
        *("services: [{runtime: static}]", "services: [{runtime: static, staticPublishPath: ..}]"),
        "a: &a [x]\nb: [" + "*a, " * 101 + "]",
        *("[" * 60_000, "...\n" * 9000 + "[" * 20_000),
        "!!python/object/apply:os.system [ls]",
        "x" * 300_000,
    ],
)
def test_a_blueprint_that_cannot_be_used_is_named(tree_of: MakeTree, text: str) -> None:
    with pytest.raises(BuildFailed, match=r"render\.yaml"):
        wish_of(tree_of({"render.yaml": text}))


@pytest.mark.parametrize("key", ["<<", "!!merge x"])
def test_a_blueprint_cannot_multiply_by_merging(tree_of: MakeTree, key: str) -> None:
    """Sixteen levels of six copies each are more than any memory holds."""
    levels = ["a0: &a0 {x: 1}"]
    for number in range(1, 17):
        copies = ", ".join([f"*a{number - 1}"] * 6)
        levels.append(f"a{number}: &a{number} {{{key}: [{copies}]}}")
    with pytest.raises(BuildFailed, match=r"render\.yaml line 2 has a merge key"):
        wish_of(tree_of({"render.yaml": "\n".join(levels)}))


def test_a_blueprint_may_name_one_value_several_times(tree_of: MakeTree) -> None:
    text = "x: &x [a]\nservices: [{runtime: static, staticPublishPath: &p out, a: *x, b: *p}]"
    assert wish_of(tree_of({"render.yaml": text})) == Publication("out", "render.yaml")


@pytest.mark.parametrize(
    ("command", "left"),
    [
        ("npm ci && npm run build", "npm run build"),
        ("pip install -r requirements.txt; mkdocs build", "mkdocs build"),
        ("pip install -U pip && pip install -r r.txt && make", "make"),
        ("npm install", ""),
        ("make && npm ci", "make && npm ci"),
        ("", ""),
        ("npm run build && npm run check", "npm run build && npm run check"),
    ],
)
def test_what_installs_is_left_out_of_a_command(command: str, left: str) -> None:
    assert without_installing(command) == left
