"""What makes another slug or another dependency layer, and what does not."""

from collections.abc import Mapping
from dataclasses import replace

from pushdeploy.build.keys import KeyPrefix, layer_key, slug_key
from pushdeploy.build.languages.python import LANGUAGE
from pushdeploy.build.plan import Install
from pushdeploy.domain.names import TreeId
from tests.unit.build.conftest import MakeTree, install

TREE, OTHER_TREE = TreeId("1" * 40), TreeId("2" * 40)
PREFIX = KeyPrefix("of-the-app", [LANGUAGE], "sha256:a")


def test_a_slugs_key_changes_with_all_that_goes_into_it() -> None:
    keys = {
        slug_key(PREFIX, TREE, {}),
        slug_key(PREFIX, OTHER_TREE, {}),
        slug_key(replace(PREFIX, base="sha256:b"), TREE, {}),
        slug_key(replace(PREFIX, scope="of-another"), TREE, {}),
        slug_key(PREFIX, TREE, {"DISABLE_COLLECTSTATIC": "1"}),
    }

    assert len(keys) == 5
    assert slug_key(PREFIX, TREE, {}) in keys


def test_a_dependency_layer_is_shared_by_an_apps_trees_with_equal_lock_files(
    tree_of: MakeTree,
) -> None:
    one = install(tree_of, {"requirements.txt": "Django", "app.py": "1"})
    two = install(tree_of, {"requirements.txt": "Django", "app.py": "2"})
    other = install(tree_of, {"requirements.txt": "Flask"})

    def key(made: Install, tree: TreeId, environment: Mapping[str, str]) -> str:
        return layer_key(PREFIX, made, tree, environment)

    assert key(one, TREE, {}) == key(two, OTHER_TREE, {"DISABLE_COLLECTSTATIC": "1"})
    assert key(one, TREE, {}) != key(other, TREE, {})
    elsewhere = replace(PREFIX, scope="of-another")
    assert key(one, TREE, {}) != layer_key(elsewhere, one, TREE, {})
    assert key(one, TREE, {}) != key(one, TREE, {"UV_DEFAULT_INDEX": "https://a"})


def test_a_layer_made_from_the_source_is_the_trees_own(tree_of: MakeTree) -> None:
    made = install(tree_of, {"requirements.txt": "-e ."})

    assert layer_key(PREFIX, made, TREE, {}) != layer_key(PREFIX, made, OTHER_TREE, {})
