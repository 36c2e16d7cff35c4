"""Words of Heroku and Dokku are answered with what to type here, and spelling comes last."""

import pytest

from pushdeploy.commands.face.catalogue import Catalogue
from pushdeploy.commands.face.foreign_commands import EXACT, MORE, NOUNS
from tests.test_docs import NAMES, named_commands
from tests.unit.commands.machine import SHOP, Machine


@pytest.mark.parametrize(
    ("line", "hint"),
    [
        ("nginx:set shop client-max-body-size 50m", "apps:set shop body-limit=50m"),
        ("nginx:set shop hsts false", "apps:set shop shows what can be set"),
        ("psql -a shop", "ssh -t deploy run shop"),
        ("--app shop pg:psql", "config:get shop DATABASE_URL"),
        ("postgres:create shop-db", "databases are not managed here"),
        ("addons:create heroku-postgresql", "databases are not managed here"),
        ("dyno:restart shop", "ps:restart shop"),
        ("letsencrypt:enable shop", "certs:list shop shows"),
        ("certs:auto:enable -a shop", "certs:list shop shows"),
        ("proxy:ports-set shop http:80:5000", "apps:set shop shows"),
        ("plugin:install https://example.com/x.git", "there are no plugins"),
        ("maintenance:enable -a shop", "maintenance:on shop"),
        ("drains:add https://example.com", "logs APP -t"),
        ("buildpacks:set heroku/python", "a Dockerfile"),
        ("stack:set heroku-24", "apps:info APP names its stack"),
        ("enter shop web", "ssh -t deploy run shop bash"),
        ("config:edit shop", "config:import shop < .env"),
        ("nginx:set shop proxy-read-timeout 120s", "apps:set shop read-timeout=2m"),
        ("nginx:access-logs shop", "logs shop -p router"),
        ("apps:delete shop", "apps:destroy shop --confirm shop"),
        ("builds shop", "releases shop"),
        ("events", "audit --app APP shows"),
        ("tags:deploy shop v1", "releases:rollback shop vN"),
        ("git:clone shop", "git clone deploy:shop"),
        ("container:push web -a shop", "a Dockerfile"),
        ("ps:autoscale:enable web -a shop", "ps:scale shop web=2"),
        ("run:retire shop run.1", "ps:stop shop run.N"),
        ("heroku pg:info -a shop", "databases are not managed here"),
        ("data:pg:info -a shop", "databases are not managed here"),
        ("ps:kill run.1 -a shop", "ps:stop shop run.1"),
        ("builds:create -a shop", "ps:rebuild shop"),
        ("events:list", "audit --app APP shows"),
        ("git:generate-deploy-key", "nothing is fetched"),
        ("clone shop other", "apps:clone shop NEW"),
        ("auth:login", "your ssh key is your login"),
        ("local:run web", "the Procfile's command"),
        ("rake db:migrate -a shop", "run shop COMMAND"),
        ("update", "there is no client"),
        ("appps:list", "did you mean apps:list"),
        ("apps:destory shop", "did you mean apps:destroy"),
        ("shop ps", "ps shop"),
        ("shop logs -t", "logs shop -t"),
        ("shop", "apps:info shop"),
        ("trace:on", "journalctl"),
        ("zzzz", "help shows all commands"),
    ],
)
def test_a_word_from_elsewhere_is_answered_with_what_to_type(
    machine: Machine, line: str, hint: str
) -> None:
    machine.store.apps.create(SHOP)
    answer = machine.type(line)
    assert (answer.status, answer.out) == (1, "")
    assert hint in answer.errors


def test_no_word_from_elsewhere_is_a_command_of_ours() -> None:
    assert not set(EXACT) & NAMES
    catalogue = Catalogue()
    assert not [noun for noun in NOUNS if catalogue.has(noun)]


def test_every_command_that_an_answer_names_exists() -> None:
    texts = [
        *EXACT.values(),
        *NOUNS.values(),
        *MORE.values(),
    ]
    assert named_commands("\n".join(texts)) <= NAMES


@pytest.mark.parametrize("word", ["apps:deploy", "disks:deploy", "keys:renew", "pipelines:deploy"])
def test_nothing_that_removes_is_suggested_by_a_distant_likeness(
    machine: Machine, word: str
) -> None:
    hint = machine.type(word).errors
    assert "there is no command" in hint
    assert not {"destroy", "remove", "forget"} & set(
        hint.replace("?", "").replace(":", " ").split()
    )
