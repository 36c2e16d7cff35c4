"""A static site is a folder of files: nothing runs, and its visitors get them as they are.

Here are those without another language; build/publishing.py publishes what any language builds.
"""

from pushdeploy.build.app_json import read_app_json
from pushdeploy.build.language import NOT_BUILT, Circumstances, Files, Language
from pushdeploy.build.plan import LayeredPlan
from pushdeploy.build.processes import PROCFILE, commands_in
from pushdeploy.build.publishing import INDEX, USUAL, publishing, usual_folder, wish_of
from pushdeploy.build.render_yaml import FILE as RENDER
from pushdeploy.build.render_yaml import read_blueprint
from pushdeploy.build.static_json import FILE
from pushdeploy.build.tree import Tree
from pushdeploy.domain.errors import BuildFailed


def _detect(tree: Tree) -> str | None:
    """What a file says counts in any case; the looks of a folder only where nothing is to run."""
    said = tree.first([FILE]) or ("app.json" if read_app_json(tree).static else None)
    if said is not None:
        return said
    blueprint = read_blueprint(tree)
    if blueprint.static and not blueprint.runs_others:
        return RENDER
    if tree.has(PROCFILE) and commands_in(tree).types:
        return None
    if blueprint.static:
        return RENDER
    if tree.first(NOT_BUILT):  # an index.html is more likely what a program works with
        return None
    return tree.first([INDEX, *(f"{folder}/{INDEX}" for folder in USUAL)])


def _plan(tree: Tree, circumstances: Circumstances) -> LayeredPlan:
    publication = wish_of(tree, circumstances.app)
    if publication is None and not tree.first(NOT_BUILT):
        publication = usual_folder(tree)
    if publication is None:
        names = ", ".join(each.name for each in read_blueprint(tree).static)
        raise BuildFailed(
            f"{RENDER} has no static service called {circumstances.app}: it has {names}",
            f'say in {FILE} which folder is the site, commit and push:  {{"root": "public"}}',
        )
    return publishing(LayeredPlan(circumstances.stacks.usual()), publication, tree)


LANGUAGE = Language(
    name="static",
    order=85,
    version="1",
    wants=f"{FILE}, or {INDEX} in the top directory, {', '.join(USUAL)}",
    detect=_detect,
    plan=_plan,
    files=Files(telling=(INDEX, FILE), read=(FILE, RENDER)),
)
