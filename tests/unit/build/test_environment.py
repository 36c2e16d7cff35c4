"""Which config vars a build sees."""

import pytest

from pushdeploy.build.environment import build_environment
from tests.unit.build.conftest import SEEN


def test_a_build_sees_no_config_but_what_is_allowed_or_listed() -> None:
    config = {
        "DATABASE_URL": "secret",
        "SECRET_KEY": "listed",
        "UV_DEFAULT_INDEX": "https://a",
        "PIP_INDEX_URL": "https://b",
        "DISABLE_COLLECTSTATIC": "1",
        "BUILD_ENV": "SECRET_KEY, MISSING",
    }

    assert set(build_environment(config, SEEN)) == set(config) - {"DATABASE_URL"}


@pytest.mark.parametrize("listed", ["ONE,TWO", "ONE, TWO", "ONE TWO", " ONE ,,TWO\n"])
def test_names_that_builds_may_see_stand_between_commas_or_spaces(listed: str) -> None:
    config = {"ONE": "1", "TWO": "2", "THREE": "3", "BUILD_ENV": listed}
    assert set(build_environment(config, SEEN)) == {"ONE", "TWO", "BUILD_ENV"}
