"""hooks/ and templates/: the operator's own first, then ours."""

from pathlib import Path

import pytest

from pushdeploy.domain.errors import PushdeployError
from pushdeploy.resources import find, search_path, shipped


@pytest.mark.parametrize("kind", ["hooks", "templates"])
def test_what_ships_is_found(kind: str) -> None:
    assert any(shipped(kind).iterdir())


def test_installation_without_them_says_so() -> None:
    with pytest.raises(PushdeployError, match="the installation has no wings/"):
        shipped("wings")


def test_file_of_the_operator_wins_and_the_others_stay_ours(tmp_path: Path) -> None:
    own = tmp_path / "hooks" / "release"
    own.parent.mkdir()
    own.touch()
    assert find("hooks", "release", tmp_path) == own
    assert find("hooks", "pre-build", tmp_path) == shipped("hooks") / "pre-build"
    assert find("hooks", "release", None) == shipped("hooks") / "release"


def test_directory_is_no_hook_and_an_unknown_one_is_none(tmp_path: Path) -> None:
    (tmp_path / "hooks" / "mine").mkdir(parents=True)
    assert find("hooks", "mine", tmp_path) is None
    assert find("hooks", "other", tmp_path) is None


def test_search_path_of_a_home_begins_there(tmp_path: Path) -> None:
    assert search_path("templates", tmp_path) == [tmp_path / "templates", shipped("templates")]
    assert search_path("templates", None) == [shipped("templates")]
