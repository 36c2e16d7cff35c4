"""Django: collectstatic in the finished slug, as Heroku does it."""

from collections.abc import Mapping

from pushdeploy.build.plan import Command, Finish
from pushdeploy.build.tree import Tree

_DEEPEST = 3
_RESULT_FILE = "/tmp/pushdeploy-static-root"  # noqa: S108 - inside a container that lives seconds
_HINT = (
    "if it needs config vars, name them:  config:set APP BUILD_ENV=SECRET_KEY,OTHER"
    "; to do without it:  config:set APP DISABLE_COLLECTSTATIC=1"
)

_COLLECT = """
import os, runpy, sys

manage, result = sys.argv[1:]
open(result, "w").close()
sys.path[0] = os.path.dirname(os.path.abspath(manage))
sys.argv = [manage, "collectstatic", "--noinput"]
try:
    runpy.run_path(manage, run_name="__main__")
except SystemExit as stop:
    from django.conf import settings

    configured = stop.code and settings.configured
    if configured and "django.contrib.staticfiles" not in settings.INSTALLED_APPS:
        print("skipped: django.contrib.staticfiles is not among INSTALLED_APPS")
        sys.exit(0)
    if stop.code:
        raise
from django.conf import settings

root = settings.STATIC_ROOT
if root and os.path.isdir(root):
    with open(result, "w") as file:
        file.write(os.path.abspath(root))
"""
"""Stands in for ``manage.py collectstatic`` and notes where the files are, in one start."""


def collectstatic(tree: Tree, environment: Mapping[str, str]) -> Finish | None:
    """None when the app has no manage.py, or does not want its static files collected."""
    manage = next(iter(tree.named("manage.py", _DEEPEST)), None)
    if manage is None or environment.get("DISABLE_COLLECTSTATIC", "0") not in {"", "0"}:
        return None
    shown = f"python {manage} collectstatic --noinput"
    return Finish(
        "Collecting static files",
        Command(["python", "-c", _COLLECT, manage, _RESULT_FILE], shown, _HINT),
        _RESULT_FILE,
        needs_package="django",
    )
