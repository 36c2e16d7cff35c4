"""Back-ends are found by being there."""

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType

import pytest

from pushdeploy.discover import chosen, discover
from pushdeploy.domain.errors import PushdeployError, UserError

MakePackage = Callable[[Mapping[str, str]], ModuleType]


@pytest.fixture
def make_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakePackage]:
    """Makes an importable package with these files."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def make(files: Mapping[str, str]) -> ModuleType:
        place = tmp_path / "backends_of_a_test"
        place.mkdir()
        for name, text in {"__init__.py": "", **files}.items():
            (place / name).write_text(text)
        return __import__(place.name)

    yield make
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_every_module_is_found_by_its_name_in_order(make_package: MakePackage) -> None:
    package = make_package({"zeta.py": "THING = 2", "alpha.py": "THING = 1", "notes.txt": "no"})
    assert list(discover(package, "THING").items()) == [("alpha", 1), ("zeta", 2)]


def test_empty_package_has_no_back_ends(make_package: MakePackage) -> None:
    assert discover(make_package({}), "THING") == {}


def test_module_that_forgot_its_name_fails_at_start_and_is_named(
    make_package: MakePackage,
) -> None:
    package = make_package({"alpha.py": "THING = 1", "broken.py": "TING = 2"})
    with pytest.raises(PushdeployError, match=r"backends_of_a_test\.broken does not define THING"):
        discover(package, "THING")


def test_module_that_is_no_back_end_is_left_out(make_package: MakePackage) -> None:
    package = make_package({"alpha.py": "THING = 1", "shared.py": ""})
    assert discover(package, "THING", ignore=("shared",)) == {"alpha": 1}


def test_a_setting_names_the_back_end_that_is_chosen(make_package: MakePackage) -> None:
    package = make_package({"docker_local.py": "THING = 1", "swarm.py": "THING = 2"})
    assert chosen(package, "THING", "PUSHDEPLOY_THING", "docker-local") == 1
    with pytest.raises(UserError) as caught:
        chosen(package, "THING", "PUSHDEPLOY_THING", "nomad")
    assert caught.value.message == "PUSHDEPLOY_THING: there is no thing 'nomad'"
    assert caught.value.hint == "set it to docker-local or swarm"
