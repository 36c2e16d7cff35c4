"""Each key that the file may have stands in the table once, with what becomes of it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from pushdeploy.build.app_json import AppJson, parse_app_json
from pushdeploy.build.app_json_keys import KEYS, Fate, told


def known_keys() -> Sequence[str]:
    """The keys of the schema that have none below them, as ``formation.*.quantity``."""
    schema = AppJson.model_json_schema(by_alias=True)
    return [*_leaves(schema, schema["$defs"], "")]


def _leaves(part: Mapping[str, Any], parts: Mapping[str, Any], name: str) -> Iterator[str]:
    part = parts[part["$ref"].rpartition("/")[2]] if "$ref" in part else part
    below = part.get("additionalProperties")
    if isinstance(below, Mapping):
        yield from _leaves(below, parts, f"{name}.*")
    elif "$ref" in part.get("items", {}):
        yield from _leaves(part["items"], parts, name)
    elif "properties" in part:
        for key, value in part["properties"].items():
            yield from _leaves(value, parts, f"{name}.{key}")
    else:
        yield name.removeprefix(".").removesuffix(".*")


@pytest.mark.parametrize("name", known_keys())
def test_every_key_of_the_file_is_decided(name: str) -> None:
    assert any(f"{name}.".startswith(f"{key.name}.") for key in KEYS)


def test_no_key_is_decided_twice_or_for_nobody() -> None:
    names = [key.name for key in KEYS]
    assert len(names) == len(set(names))
    for name in names:
        assert any(f"{known}.".startswith(f"{name}.") for known in known_keys()), name


def test_exactly_those_that_are_told_have_words() -> None:
    for key in KEYS:
        assert bool(key.words) == (key.fate is Fate.TOLD), key.name


def test_lines_follow_the_order_of_the_table() -> None:
    facts = parse_app_json(
        '{"addons": ["a"], "scripts": {"postdeploy": "x"}, "name": "shop", "healthchecks":'
        ' {"web": [{"type": "liveness"}, {"type": "readiness", "httpHeaders": [1]}]}}'
    )
    assert list(told(facts)) == [
        "app.json: scripts.postdeploy is not run: the  release:  line of the Procfile is",
        "app.json: addons are not made: set their addresses with  config:set",
        "app.json: httpHeaders of healthchecks are not sent",
        "app.json: healthchecks of type liveness, readiness are not run, those of startup are",
    ]
