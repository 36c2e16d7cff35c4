"""What can be set of an app, and what follows a change of it."""

from dataclasses import fields

import pytest

from pushdeploy.domain.errors import UserError
from pushdeploy.domain.settings import (
    AppSettings,
    affected,
    all_settings,
    changed_settings,
    explained_settings,
    shown_settings,
)
from pushdeploy.domain.settings.setting import Affects

DEFAULT = AppSettings()


def test_no_two_fields_share_a_name_for_they_are_stored_side_by_side() -> None:
    sections = [getattr(DEFAULT, section.name) for section in fields(AppSettings)]
    names = [held.name for section in sections for held in fields(section)]
    assert len(names) == len(set(names))


def test_every_setting_has_a_name_of_its_own_and_is_explained_in_a_line() -> None:
    names = [setting.name for setting in all_settings()]
    assert len(names) == len(set(names))
    lines = explained_settings()
    assert [line.split()[0] for line in lines] == names
    assert "drain            for requests on old tasks    (30s)" in lines


def test_what_is_shown_can_be_typed_and_is_the_same() -> None:
    settings = changed_settings(DEFAULT, ["drain=90s", "buffering=on", "capabilities=net_raw"])
    typed = [f"{name}={text}" for name, text in shown_settings(settings).items()]
    assert changed_settings(DEFAULT, typed) == settings


@pytest.mark.parametrize(
    ("words", "follows"),
    [
        ([], set()),
        (["body-limit=100m", "drain=30s"], set()),
        (["deploy-branch=trunk", "drain=5"], {Affects.NOTHING}),
        (["body-limit=1m"], {Affects.ROUTE}),
        (["header-names=any", "heroku-names=on"], {Affects.ROUTE, Affects.TASKS}),
        (["release-timeout=2h"], {Affects.RELEASE}),
    ],
)
def test_what_follows_a_change(words: list[str], follows: set[Affects]) -> None:
    settings = changed_settings(DEFAULT, words)
    assert affected(DEFAULT, settings) == follows
    assert affected(settings, DEFAULT) == follows


@pytest.mark.parametrize(
    ("word", "message", "hint"),
    [
        ("colour=red", "there is no setting colour", "deploy-branch, "),
        ("drain", "drain has no value", "drain= is the default"),
        ("drain=2h", "2h is too much or too little", "0 to 1h"),
        ("body-limit=1", "1 is too much or too little", "1k to 1024g"),
        ("header-names=all", "'all' is no kind of header names", "write standard, or any"),
        ("push-waits=yes", "'yes' is neither on nor off", "write on, or off"),
        ("deploy-branch=a..b", "'a..b' is not a branch", "such as main"),
    ],
)
def test_a_word_that_makes_no_sense_is_refused(word: str, message: str, hint: str) -> None:
    with pytest.raises(UserError) as refused:
        changed_settings(DEFAULT, [word])
    assert message in refused.value.message
    assert hint in refused.value.hint
