"""What is told of a collectstatic that failed."""

import pytest

from pushdeploy.build.languages.python.django_failures import explained
from tests.unit.build.conftest import circumstances

HERE = circumstances()
TRACEBACK = [
    "Traceback (most recent call last):",
    '  File "/app/shop/settings.py", line 5, in <module>',
]
DJANGO_CONF = [
    '  File "/opt/venv/lib/python3.13/site-packages/django/conf/__init__.py", line 1, in __init__',
    '  File "/usr/lib/python3.13/importlib/__init__.py", line 88, in import_module',
    '  File "<frozen importlib._bootstrap>", line 1324, in _find_and_load_unlocked',
]
WANTED = "the settings want the config var SECRET_KEY"


@pytest.mark.parametrize(
    ("lines", "cause", "hint"),
    [
        pytest.param(
            ["KeyError: 'SECRET_KEY'"],
            f"{WANTED}, which is not set",
            "SECRET_KEY=… BUILD_ENV=SECRET_KEY",
            id="os.environ",
        ),
        pytest.param(
            [
                "KeyError: 'SECRET_KEY'",
                "",
                "During handling of the above exception, another exception occurred:",
                "ImproperlyConfigured: Set the SECRET_KEY environment variable",
            ],
            f"{WANTED}, which is not set",
            "BUILD_ENV=SECRET_KEY",
            id="django-environ",
        ),
        pytest.param(
            [
                (
                    "decouple.UndefinedValueError: SECRET_KEY not found."
                    " Declare it as envvar or define a default value."
                )
            ],
            f"{WANTED}, which is not set",
            "BUILD_ENV=SECRET_KEY",
            id="python-decouple",
        ),
        pytest.param(
            ['environs.exceptions.EnvError: Environment variable "SECRET_KEY" not set'],
            f"{WANTED}, which is not set",
            "BUILD_ENV=SECRET_KEY",
            id="environs",
        ),
        pytest.param(
            [
                (
                    "django.core.exceptions.ImproperlyConfigured:"
                    " The SECRET_KEY setting must not be empty."
                )
            ],
            f"{WANTED}, which is not set",
            "BUILD_ENV=SECRET_KEY",
            id="empty",
        ),
        pytest.param(
            ["KeyError: 'a key of some dictionary'"],
            "KeyError: 'a key of some dictionary' (shop/settings.py, line 5)",
            "DISABLE_COLLECTSTATIC=1",
            id="another KeyError",
        ),
        pytest.param(
            [
                (
                    "django.core.exceptions.ImproperlyConfigured: settings.DATABASES is improperly"
                    " configured. Please supply the ENGINE value."
                )
            ],
            "the settings want the config var DATABASE_URL, which is not set",
            "BUILD_ENV=DATABASE_URL",
            id="no database",
        ),
        pytest.param(
            ["psycopg.OperationalError: connection is bad: no such host"],
            "the app connects to something while it is imported",
            "a build has no database",
            id="a query at import",
        ),
        pytest.param(
            [
                (
                    "django.core.exceptions.ImproperlyConfigured: Error loading psycopg2 or psycopg"
                    " module"
                )
            ],
            "Error loading psycopg2 or psycopg module",
            "add  psycopg[binary]  to requirements.txt",
            id="a driver",
        ),
        pytest.param(
            ["ModuleNotFoundError: No module named 'environ'"],
            "there is no module environ in the slug",
            "add  django-environ  to requirements.txt",
            id="a package",
        ),
        pytest.param(
            ["x.InvalidStorageError: Could not find backend 'a.B': No module named 'whitenoise'"],
            "there is no module whitenoise in the slug",
            "add  whitenoise  to requirements.txt",
            id="a package that a setting names",
        ),
        pytest.param(
            [*DJANGO_CONF, "ModuleNotFoundError: No module named 'nope'"],
            "DJANGO_SETTINGS_MODULE is wrong: there is no module nope in the source",
            "correct it in shop/settings.py and in wsgi.py, commit and push",
            id="settings of another name",
        ),
        pytest.param(
            [*DJANGO_CONF, "ModuleNotFoundError: No module named 'shop.setings'"],
            "DJANGO_SETTINGS_MODULE is wrong: there is no module shop.setings in the source",
            "correct it in shop/settings.py",
            id="settings of another name in a package that is there",
        ),
        pytest.param(
            ["ModuleNotFoundError: No module named 'nope'"],
            "there is no module nope in the slug",
            "add  nope  to requirements.txt; if nope is the app's own, commit it; then push",
            id="a package, or the app's own",
        ),
        pytest.param(
            ["ImportError: Couldn't import Django. Are you sure it's installed and available?"],
            "Couldn't import Django",
            "add  Django  to requirements.txt",
            id="Django itself",
        ),
        pytest.param(
            ["ModuleNotFoundError: No module named 'shop.local'"],
            "there is no module shop.local in the source",
            "git status --ignored",
            id="a module that was not committed",
        ),
        pytest.param(
            ["ImportError: cannot import name 'url' from 'django.conf.urls' (/opt/venv/…)"],
            "ImportError: cannot import name 'url'",
            "mend shop/settings.py, line 5",
            id="a name",
        ),
        pytest.param(
            ["    x = (", "        ^", "SyntaxError: '(' was never closed"],
            "SyntaxError: '(' was never closed (shop/settings.py, line 5)",
            "mend it",
            id="syntax",
        ),
        pytest.param(
            [
                "Post-processing 'css/site.css' failed!",
                "",
                *TRACEBACK,
                (
                    "whitenoise.storage.MissingFileError: The file 'css/logo.png' could not be"
                    " found with <whitenoise.storage.ManifestStaticFilesStorage object at 0x7f>."
                ),
            ],
            "css/site.css names css/logo.png, which is not among the static files",
            "add the file",
            id="a missing file",
        ),
        pytest.param(
            ["ValueError: Missing staticfiles manifest entry for 'a.css'"],
            "a.css is asked for and is not among the static files",
            "add the file",
            id="the manifest",
        ),
        pytest.param(
            ["PermissionError: [Errno 13] Permission denied: '/var/www'"],
            "a build may write below /app only, not to /var/www",
            "STATIC_ROOT = BASE_DIR / 'staticfiles'",
            id="a foreign directory",
        ),
        pytest.param(
            [
                "pydantic_core._pydantic_core.ValidationError: 1 validation error for Settings",
                "SECRET_KEY",
                "  Field required [type=missing, input_value={}, input_type=dict]",
            ],
            "ValidationError: 1 validation error for Settings (shop/settings.py, line 5)",
            "DISABLE_COLLECTSTATIC=1",
            id="a message of several lines",
        ),
    ],
)
def test_an_exception_becomes_one_line_and_what_to_type(
    lines: list[str], cause: str, hint: str
) -> None:
    found = explained([*TRACEBACK, *lines], HERE, {"manage.py", "shop/"})

    assert found is not None
    assert found.message.startswith(f"collectstatic failed: {cause}")
    assert hint in found.hint


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("CommandError: Unable to do it", "Unable to do it"),
        ("?: (staticfiles.E002) It is a list.", "?: (staticfiles.E002) It is a list."),
    ],
)
def test_what_django_says_by_itself_is_the_cause(line: str, said: str) -> None:
    found = explained(["System check identified some issues:", line, ""], HERE, ())

    assert found is not None
    assert found.message == f"collectstatic failed: {said}"


def test_a_config_var_that_is_set_is_let_in_beside_the_others() -> None:
    listed = circumstances({"BUILD_ENV": "A, B"}, names=["SECRET_KEY"])

    found = explained([*TRACEBACK, "KeyError: 'SECRET_KEY'"], listed, ())

    assert found is not None
    assert "a build sees only those that BUILD_ENV lists" in found.message
    assert found.hint == "ssh deploy config:set shop BUILD_ENV=A,B,SECRET_KEY"


def test_a_word_that_the_app_prints_is_no_exception() -> None:
    assert explained(["Hello", "Done: all of it"], HERE, ()) is None


def test_settings_that_the_config_names_wrongly_are_mended_there() -> None:
    let_in = circumstances({"BUILD_ENV": "DJANGO_SETTINGS_MODULE", "DJANGO_SETTINGS_MODULE": "no"})

    found = explained([*TRACEBACK, *DJANGO_CONF, "ImportError: No module named 'no'"], let_in, ())

    assert found is not None
    assert found.hint == "ssh deploy config:set shop DJANGO_SETTINGS_MODULE=…"
