"""app.json: what it tells a slug, and how mistakes in it are told."""

import pytest

from pushdeploy.build.app_json import parse_app_json, read_app_json
from pushdeploy.domain.errors import BuildFailed
from pushdeploy.domain.names import ProcessType
from pushdeploy.domain.slug import Healthcheck
from tests.unit.build.conftest import MakeTree

WEB = ProcessType("web")


def test_checks_and_quantities_are_read_with_comments_in_the_file() -> None:
    text = """{
      // for Heroku and Dokku alike
      "formation": { "web": { "quantity": 2, "size": "standard-1x" }, "worker": {} },
      "healthchecks": {
        "web": [
          { "type": "startup", "name": "up", "path": "/health", "attempts": 7, "initialDelay": 1 },
          { "type": "liveness", "path": "/alive" },
          { "uptime": 3 },
        ],
      },
      "env": { "SECRET": { "generator": "secret" }, "LEVEL": "info" },
      "addons": ["heroku-postgresql:mini"],
      "something-new": true,
    }"""

    found = parse_app_json(text)

    assert found.quantities() == {WEB: 2}
    assert found.checks() == {
        WEB: (
            Healthcheck("up", "/health", attempts=7, initial_delay_seconds=1),
            Healthcheck(uptime_seconds=3),
        )
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{\n "name": }', "is not JSON: line"),
        ('{"formation": {"web": {"quantity": -1}}}', "formation.web.quantity"),
        ('{"formation": {"web": 2}}', "formation.web"),
        ('{"healthchecks": {"web": [{"path": "health"}]}}', r"healthchecks.web.0.path"),
        ('{"healthchecks": {"a b": []}}', "'a b' is not a process type"),
        ('{"cron": [{"command": "x"}]}', "cron.0.schedule"),
        ("[]", "is not an object"),
        ("", "is empty"),
        (" \n", "is empty"),
        ("// only a comment", "is not JSON: "),
        ("[" * 20_000, "is nested too deeply"),
        ('{"a":' * 3000 + "1" + "}" * 3000, "is nested too deeply"),
        ('{"description": "' + "x" * 300_000 + '"}', "is larger than 256 KB"),
        ('{"healthchecks": {"web": [{"uptime": 1e308}]}}', "healthchecks.web.0.uptime"),
        ('{"healthchecks": {"web": [{"timeout": Infinity}]}}', "healthchecks.web.0.timeout"),
        ('{"healthchecks": {"web": [{"wait": NaN}]}}', "healthchecks.web.0.wait"),
    ],
)
def test_mistakes_name_the_key_and_the_remedy(text: str, said: str) -> None:
    with pytest.raises(BuildFailed, match=said) as failed:
        parse_app_json(text)

    assert failed.value.message.startswith("app.json")
    assert failed.value.hint


def test_an_app_without_the_file_has_no_checks(tree_of: MakeTree) -> None:
    assert read_app_json(tree_of({})).checks() == {}


@pytest.mark.parametrize(
    ("text", "said", "hint"),
    [
        ('{"env": {"A": {"value": 2}}}', "env.A.value: must be a text in quotes", "env.A.value"),
        ('{"env": {"A": 2}}', "env.A: must be an object in braces", "env.A"),
        ('{"env": []}', "env: must be an object in braces", "env"),
        ('{"addons": "pg"}', "addons: must be a list in brackets", "addons"),
        ('{"scripts": "x"}', "scripts: must be an object in braces", "scripts"),
        ('{"cron": {}}', "cron: must be a list in brackets", "cron"),
    ],
)
def test_a_wrong_value_is_told_once_in_the_words_of_the_file(
    text: str, said: str, hint: str
) -> None:
    with pytest.raises(BuildFailed) as failed:
        parse_app_json(text)
    assert failed.value.message == f"app.json cannot be used: {said}"
    assert failed.value.hint == f"correct {hint} in app.json, commit and push"
    assert failed.value.details == ()
