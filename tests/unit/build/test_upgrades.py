"""What a server has built stays valid when it is upgraded: the keys of equal input are the same.

Where one changes on purpose, every app and every stack of every server is built anew.
"""

from collections.abc import Mapping

import pytest

from pushdeploy.build.environment import build_environment
from pushdeploy.build.keys import KeyPrefix, layer_key, slug_key
from pushdeploy.build.plan import LayeredPlan
from pushdeploy.build.stack_definitions import stack_definitions
from pushdeploy.domain.names import TreeId
from tests.unit.build.conftest import LANGUAGES, PYTHON, SEEN, MakeTree, circumstances

TREE = TreeId("1" * 40)
CONFIG = {
    "DISABLE_COLLECTSTATIC": "1",
    "PIP_INDEX_URL": "https://index.example",
    "NODE_ENV": "production",
    "BUILD_ENV": "TOKEN",
    "TOKEN": "secret",
    "DATABASE_URL": "not for builds",
}
ENVIRONMENT = build_environment(CONFIG, SEEN)


def test_stacks_that_have_been_made_are_found() -> None:
    keys = {name: stack.key for name, stack in stack_definitions(LANGUAGES).items()}

    assert keys == {"bookworm": "52f76a39dde5", "trixie": "27023487d4db"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("python", "52d5bff0f33430e0"),
        ("null", "ca9389546d474ec2"),
        ("dockerfile", "97f6a95665d5897b"),
    ],
)
def test_a_slug_that_has_been_built_is_found(name: str, expected: str) -> None:
    (language,) = [each for each in LANGUAGES if each.name == name]

    key = slug_key(KeyPrefix("word", [language], "sha256:stack"), TREE, ENVIRONMENT)

    assert key.startswith(expected)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"requirements.txt": "flask\n"}, "8ae55904f297d277"),
        (
            {"uv.lock": "", "pyproject.toml": "[project]\nname='a'\nrequires-python='==3.12.*'\n"},
            "fe6793b09eedbcc4",
        ),
    ],
)
def test_dependencies_that_have_been_installed_are_found(
    tree_of: MakeTree, files: Mapping[str, str], expected: str
) -> None:
    plan = PYTHON.plan(tree_of(files), circumstances(ENVIRONMENT))
    assert isinstance(plan, LayeredPlan)
    assert plan.install is not None

    key = layer_key(KeyPrefix("word", [PYTHON], "sha256:stack"), plan.install, TREE, ENVIRONMENT)

    assert key.startswith(expected)
