"""What is said of things that other platforms honour."""

import pytest

from pushdeploy.build.advice import (
    first_config,
    missing_config,
    refuse_lfs_pointers,
    sqlite_in,
    unread,
)
from pushdeploy.build.app_json import AppJson, parse_app_json
from pushdeploy.domain.errors import BuildFailed
from tests.unit.build.conftest import LANGUAGES, PYTHON, MakeTree

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"


@pytest.mark.parametrize(
    "name",
    [
        "bin/pre_compile",
        "nltk.txt",
        "Aptfile",
        ".profile",
        ".slugignore",
        ".buildpacks",
        "package.json",
        "heroku.yml",
    ],
)
def test_a_file_that_has_no_effect_is_named_once(tree_of: MakeTree, name: str) -> None:
    tree = tree_of({name: "", "requirements.txt": ""})

    (line,) = unread(tree, AppJson(), [PYTHON], LANGUAGES)

    assert line.startswith(f"{name} is not ")
    assert list(unread(tree, AppJson(), [], LANGUAGES)) == []


@pytest.mark.parametrize("name", ["bin/pre_compile", "bin/post_compile"])
def test_a_script_that_no_language_runs_is_named(tree_of: MakeTree, name: str) -> None:
    null = [each for each in LANGUAGES if each.name == "null"]

    (line,) = unread(tree_of({name: "", "Procfile": "web: x"}), AppJson(), null, LANGUAGES)

    assert line == f"{name} is not run: nothing is built for an app without a language"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"cron": [{"command": "a", "schedule": "@daily"}]}', "cron is not run"),
        ('{"scripts": {"postdeploy": "a"}}', "scripts.postdeploy is not run"),
        ('{"scripts": {"dokku": {"predeploy": "a"}}}', "scripts.dokku.predeploy is not run"),
        ('{"buildpacks": [{"url": "heroku/python"}]}', "buildpacks have no effect"),
        ('{"addons": ["heroku-postgresql"]}', "addons are not made"),
        (
            '{"healthchecks": {"web": [{"path": "/", "httpHeaders": [{"name": "a"}]}]}}',
            "httpHeaders of healthchecks are not sent",
        ),
        (
            '{"healthchecks": {"web": [{"type": "liveness", "path": "/"}]}}',
            "healthchecks of type liveness are not run",
        ),
    ],
)
def test_a_key_of_app_json_that_has_no_effect_is_named(
    tree_of: MakeTree, text: str, said: str
) -> None:
    (line,) = unread(tree_of({}), parse_app_json(text), [PYTHON], LANGUAGES)

    assert line.startswith(f"app.json: {said}")


def test_what_is_honoured_is_not_talked_about(tree_of: MakeTree) -> None:
    files: dict[str, str | bytes] = dict.fromkeys(
        ["requirements.txt", "bin/post_compile", ".python-version", "Procfile"], ""
    )
    facts = parse_app_json('{"formation": {"web": {"quantity": 1}}, "env": {"A": "1"}}')

    assert list(unread(tree_of(files), facts, [PYTHON], LANGUAGES)) == []


@pytest.mark.parametrize(
    ("attributes", "pointer"),
    [
        ("*.png filter=lfs diff=lfs merge=lfs -text\n", "static/a.png"),
        ("static/** filter=lfs\n", "static/deep/a.bin"),
        ("/model.bin filter=lfs\n", "model.bin"),
    ],
)
def test_pointers_of_git_lfs_are_named_and_refused(
    tree_of: MakeTree, attributes: str, pointer: str
) -> None:
    files = {".gitattributes": attributes, pointer: POINTER, "b.png": "a real one"}

    with pytest.raises(BuildFailed, match=f": {pointer}$") as failed:
        refuse_lfs_pointers(tree_of(files))

    assert "git lfs migrate export" in failed.value.hint


def test_files_that_are_no_pointers_pass(tree_of: MakeTree) -> None:
    refuse_lfs_pointers(tree_of({".gitattributes": "*.png filter=lfs\n", "a.png": "x" * 130}))
    refuse_lfs_pointers(tree_of({"docs/pointer.txt": POINTER}))


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"db.sqlite3": "x"}, "db.sqlite3"),
        ({"data/shop.db": "x"}, "data/shop.db"),
        ({"Thumbs.db": "x", "tests/a.db": "x", "a/b/c.sqlite3": "x"}, ""),
        (
            {"shop/settings.py": "  'ENGINE': 'django.db.backends.sqlite3',\n"},
            "shop/settings.py",
        ),
        ({"shop/settings.py": "# 'django.db.backends.sqlite3'\n"}, ""),
        ({"shop/settings.py": "'django.db.backends.postgresql'"}, ""),
        ({"a/b/c/d/settings.py": "'django.db.backends.sqlite3'"}, ""),
        ({"app.py": 'db = sqlite3.connect("data.sqlite3")'}, "app.py"),
        ({"shop/db.py": "URL = 'sqlite:///shop.db'"}, "shop/db.py"),
        ({"main.py": 'create_async_engine("sqlite+aiosqlite:////tmp/x.db")'}, "main.py"),
        ({"app.py": 'sqlite3.connect(":memory:")\nURL = "sqlite:///:memory:"'}, ""),
        ({"app.py": '# sqlite3.connect("x")', "tests/t.py": 'sqlite3.connect("x")'}, ""),
    ],
)
def test_an_sqlite_database_is_seen(
    tree_of: MakeTree, files: dict[str, str | bytes], expected: str
) -> None:
    assert sqlite_in(tree_of(files), LANGUAGES) == expected


ENV = """{"env": {
    "GREETING": "hello",
    "LEVEL": {"value": "3"},
    "SECRET_KEY": {"generator": "secret"},
    "SIGNING_KEY": {"generator": "secret"},
    "TOKEN": {"description": "of the mail service"},
    "MAYBE": {"required": false}
}}"""


def test_values_and_secrets_of_app_json_are_set_where_nobody_has() -> None:
    facts = parse_app_json(ENV)

    made = first_config(facts, {"LEVEL": "5"}, iter(["one", "another"]).__next__)

    assert made == {"GREETING": "hello", "SECRET_KEY": "one", "SIGNING_KEY": "another"}
    assert missing_config(facts, made) == ["LEVEL", "TOKEN"]
    assert missing_config(facts, {**made, "LEVEL": "5", "TOKEN": "x"}) == []
