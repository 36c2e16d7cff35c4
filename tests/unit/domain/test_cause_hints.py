"""Hints of a cause: what to type or to mend, so that the app starts the next time."""

import pytest

from pushdeploy.domain.cause import Cause, Mends, cause_of, cause_of_refusal

DJANGO_CONF = "/opt/venv/lib/python3.13/site-packages/django/conf/__init__.py"


@pytest.mark.parametrize(
    ("cause", "hint"),
    [
        (Cause("x", Mends.CODE), "mend it, commit and push again"),
        (Cause("x", Mends.CODE, "add it"), "add it"),
        (
            Cause("x", Mends.CONFIG, variable="KEY"),
            "config:set shop KEY=...  and then:  releases:retry shop",
        ),
        (Cause("x", Mends.OTHERS), "when that can be reached:  releases:retry shop"),
        (
            Cause("x", Mends.MEMORY),
            "PUSHDEPLOY_TASK_MEMORY_BYTES gives it more memory; then:  releases:retry shop",
        ),
    ],
)
def test_a_retry_is_offered_for_what_changes_without_a_push(cause: Cause, hint: str) -> None:
    assert cause.hint("shop") == hint


@pytest.mark.parametrize(
    ("name", "command", "remedy"),
    [
        ("yaml", "", "add PyYAML to requirements.txt"),
        ("stripe", "", "add stripe to requirements.txt; if stripe is the app's own, commit it"),
        ("shop.setings", "gunicorn shop.wsgi", "shop is there, shop.setings is not"),
        ("wsgii", "gunicorn wsgii:app", "the Procfile names it (gunicorn wsgii:app)"),
        ("gunicorn", "python -m gunicorn app:app", "add gunicorn to requirements.txt"),
    ],
)
def test_a_missing_module_is_told_by_its_package(name: str, command: str, remedy: str) -> None:
    lines = [
        "Traceback (most recent call last):",
        '  File "/app/app.py", line 1, in <module>',
        f"ModuleNotFoundError: No module named '{name}'",
    ]
    cause = cause_of(lines, 1, command)
    assert cause is not None
    assert cause.hint("shop").startswith(remedy)


@pytest.mark.parametrize(
    ("importer", "missing", "remedy"),
    [
        (DJANGO_CONF, "nope", "DJANGO_SETTINGS_MODULE names it: correct that"),
        (DJANGO_CONF, "shop.setings", "DJANGO_SETTINGS_MODULE names it: correct that"),
        ("/app/shop/settings.py", "nope", "add nope to requirements.txt"),
        ("/opt/venv/lib/python3.13/site-packages/django/apps/config.py", "nope", "add nope to"),
    ],
)
def test_a_module_of_settings_that_is_missing_is_a_wrong_name(
    importer: str, missing: str, remedy: str
) -> None:
    lines = [
        "Traceback (most recent call last):",
        '  File "/app/manage.py", line 22, in main',
        f'  File "{importer}", line 190, in __init__',
        '  File "/usr/lib/python3.13/importlib/__init__.py", line 88, in import_module',
        '  File "<frozen importlib._bootstrap>", line 1387, in _gcd_import',
        f"ModuleNotFoundError: No module named '{missing}'",
    ]
    cause = cause_of(lines, 1, "python manage.py migrate")
    assert cause is not None
    assert cause.hint("shop").startswith(remedy)


def test_django_itself_is_missing_where_manage_py_says_so() -> None:
    lines = [
        "Traceback (most recent call last):",
        '  File "/app/manage.py", line 13, in main',
        (
            "ImportError: Couldn't import Django. Are you sure it's installed and available on"
            " your PYTHONPATH environment variable? Did you forget to activate a virtual"
            " environment?"
        ),
    ]
    cause = cause_of(lines, 1, "python manage.py migrate")
    assert cause is not None
    assert cause.hint("shop") == "add Django to requirements.txt, commit and push again"


@pytest.mark.parametrize(
    ("message", "what"),
    [
        (
            'runc create failed: exec: "serve": executable file not found in $PATH: unknown',
            "there is no program serve in the image",
        ),
        (
            'exec: "/bin/sh": stat /bin/sh: no such file or directory: unknown',
            "the image has no /bin/sh, through which the Procfile's commands run",
        ),
        ('exec: "/start": permission denied: unknown', "/start is not executable"),
    ],
)
def test_what_docker_refuses_to_start_is_told_in_the_words_of_the_image(
    message: str, what: str
) -> None:
    cause = cause_of_refusal(message)
    assert cause is not None
    assert cause.what == what
    assert cause_of_refusal("a name is taken") is None


@pytest.mark.parametrize(
    ("exit_code", "what"),
    [
        (139, "exit code 139 (SIGSEGV)"),
        (137, "exit code 137 (SIGKILL)"),
        (134, "exit code 134 (SIGABRT)"),
        (143, "exit code 143: it was told to stop (SIGTERM)"),
        (130, "exit code 130: it was told to stop (SIGINT)"),
        (128, "bye"),
        (255, "bye"),
        (-1, "bye"),
    ],
)
def test_signals_have_names(exit_code: int, what: str) -> None:
    cause = cause_of(["bye"], exit_code)
    assert cause is not None
    assert cause.what == what
