"""What every language does that discovery finds, without a test of its own."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

import pushdeploy.build.languages
from pushdeploy.build.environment import build_environment
from pushdeploy.build.language import Language
from pushdeploy.build.plan import LayeredPlan
from pushdeploy.build.stack_definitions import SUITES, stack_definitions
from pushdeploy.build.tree import Tree
from pushdeploy.discover import discover
from tests.contracts.languages import (
    LANGUAGES,
    STACKS,
    Noted,
    install_of,
    key_of,
    key_of_slug,
    planned,
    trees,
    without_reasons,
)

TREES = [(language, files) for language in LANGUAGES for files in trees(language)]
LAYERED = [case for case in TREES if isinstance(planned(*case), LayeredPlan)]
INSTALLING = [case for case in TREES if install_of(planned(*case))]


def cases(found: Sequence[tuple[Language, Mapping[str, str]]]) -> pytest.MarkDecorator:
    names = [f"{language.name}: {', '.join(files)}" for language, files in found]
    return pytest.mark.parametrize(("language", "files"), found, ids=names)


each_language = pytest.mark.parametrize("language", LANGUAGES, ids=lambda each: each.name)
SECRET = "s3cret-that-nobody-may-see"


def test_a_language_is_called_as_its_module_and_stands_at_a_place_of_its_own() -> None:
    assert {each.name for each in LANGUAGES} == set(
        discover(pushdeploy.build.languages, "LANGUAGE")
    )
    assert max(Counter(each.order for each in LANGUAGES).values()) == 1


@each_language
def test_an_empty_tree_is_of_no_language(language: Language) -> None:
    assert language.detect(Tree.of(Noted({}))) is None
    assert language.wants


@each_language
def test_a_tree_with_a_file_that_the_language_names_is_its_own(language: Language) -> None:
    assert any(planned(language, files) for files in trees(language))


@cases(TREES)
def test_what_decided_is_a_file_of_the_tree(language: Language, files: Mapping[str, str]) -> None:
    assert language.detect(Tree.of(Noted(files))) in files


@cases(TREES)
def test_a_plan_is_the_same_for_the_same_tree(language: Language, files: Mapping[str, str]) -> None:
    one, two = planned(language, files), planned(language, dict(files))

    assert without_reasons(one) == without_reasons(two)
    if (install := install_of(one)) is not None and (again := install_of(two)) is not None:
        assert key_of(language, install) == key_of(language, again)


@cases(INSTALLING)
def test_a_file_that_a_plan_reads_makes_other_dependencies(
    language: Language, files: Mapping[str, str]
) -> None:
    reader = Noted(files)
    install = install_of(planned(language, files, reader=reader))
    assert install is not None
    for path in reader.read_paths:
        changed = install_of(planned(language, {**files, path: files[path] + "\nother"}))
        assert changed is None or key_of(language, changed) != key_of(language, install), path


@each_language
def test_a_new_version_of_a_language_makes_new_slugs_and_layers(language: Language) -> None:
    newer = replace(language, version=f"{language.version}.new")

    assert key_of_slug(newer) != key_of_slug(language)
    for files in trees(language):
        if install := install_of(planned(language, files)):
            assert key_of(newer, install) != key_of(language, install)


@each_language
def test_dependencies_depend_on_what_a_build_sees_but_for_named_exceptions(
    language: Language,
) -> None:
    for files in trees(language):
        if install := install_of(planned(language, files)):
            usual = key_of(language, install)
            assert key_of(language, install, {"LISTED": "1"}) != usual
            for name in language.variables.not_keyed:
                assert key_of(language, install, {name: "1"}) == usual


@each_language
def test_a_variable_that_changes_no_dependency_is_one_that_builds_see(language: Language) -> None:
    config = dict.fromkeys(language.variables.not_keyed, "1")

    assert build_environment(config, [language.variables.seen]) == config
    assert not re.fullmatch(language.variables.seen, "DATABASE_URL")


@cases(TREES)
def test_no_secret_of_the_environment_is_in_a_plan(
    language: Language, files: Mapping[str, str]
) -> None:
    environment = {"LISTED": SECRET, "UV_INDEX": f"https://user:{SECRET}@index.example"}

    assert SECRET not in repr(without_reasons(planned(language, files, environment)))


@cases(LAYERED)
def test_a_slug_gets_whole_paths_and_runs_what_is_watched_for(
    language: Language, files: Mapping[str, str]
) -> None:
    plan = planned(language, files)
    assert isinstance(plan, LayeredPlan)
    directories = [*plan.paths, *(plan.install.directories if plan.install else ())]
    assert all(PurePosixPath(path).is_absolute() for path in directories)
    assert "PATH" not in plan.environment
    assert plan.stack in STACKS.names
    assert {step.needs_package for step in plan.finish} <= {"", *language.watched}


@each_language
def test_tools_are_there_and_keep_to_directories_of_their_own(language: Language) -> None:
    for there, here in language.tools.programs().items():
        assert PurePosixPath(there).is_absolute()
        assert Path(here).is_file()
    for name in language.tools.caches.values():
        assert re.fullmatch("[a-z][a-z0-9-]*", name)
        assert name not in {"scope", "builds"}, "files of ours beside the caches"


@each_language
def test_what_stacks_have_of_a_language_makes_other_stacks(language: Language) -> None:
    more = replace(language, stack=replace(language.stack, run_packages=["another"]))
    others = [more if each is language else each for each in LANGUAGES]

    assert set(language.stack.versions) <= set(SUITES)
    for suite, stack in stack_definitions(others).items():
        assert stack.key != stack_definitions(LANGUAGES)[suite].key


@each_language
def test_a_language_says_nothing_of_sqlite_in_an_empty_tree(language: Language) -> None:
    assert language.opens_sqlite(Tree.of(Noted({}))) == ""
