"""Django collects its static files in the finished slug, as at Heroku."""

from pushdeploy.build.language import Circumstances
from pushdeploy.build.languages.python.django_failures import explained
from pushdeploy.build.plan import BuildCommand, Finish
from pushdeploy.build.tree import Tree

_DEEPEST = 3
_RESULT_FILE = "/tmp/pushdeploy-static-root"  # noqa: S108 - inside a container that lives seconds
SWITCH = "DISABLE_COLLECTSTATIC"
_OFF_FILE = ".heroku/collectstatic_disabled"

_COLLECT = """
import os, runpy, sys, traceback

manage, result, advice = sys.argv[1:]
open(result, "w").close()
sys.path[0] = os.path.dirname(os.path.abspath(manage))
sys.argv = [manage, "collectstatic", "--noinput"]


def skip(why):
    print("skipped: " + why)
    sys.exit(0)


def without_static_root(error):
    from django.conf import settings

    told = type(error).__name__ == "ImproperlyConfigured" and "STATIC_ROOT" in str(error)
    return told and settings.configured and not settings.STATIC_ROOT


def shorten(report):
    if report is None:
        return
    here = os.getcwd() + os.sep
    names = [frame for frame in report.stack if not frame.filename.startswith("<")]
    own = [frame for frame in names if os.path.abspath(frame.filename).startswith(here)]
    report.stack = traceback.StackSummary.from_list(own or report.stack[-1:])
    shorten(report.__cause__)
    shorten(report.__context__)


try:
    runpy.run_path(manage, run_name="__main__")
except SystemExit as stop:
    from django.conf import settings

    configured = stop.code and settings.configured
    if configured and "django.contrib.staticfiles" not in settings.INSTALLED_APPS:
        skip("django.contrib.staticfiles is not among INSTALLED_APPS")
    if stop.code:
        raise
except Exception as error:
    if without_static_root(error):
        skip(advice)
    report = traceback.TracebackException.from_exception(error)
    if os.environ.get("DEBUG_COLLECTSTATIC", "0") in ("", "0"):
        shorten(report)
    sys.stderr.write("".join(report.format()))
    sys.exit(1)
from django.conf import settings

root = settings.STATIC_ROOT
if root and os.path.isdir(root):
    with open(result, "w") as file:
        file.write(os.path.abspath(root))
"""
"""Stands in for ``manage.py collectstatic`` and notes where the files are, in one start.

A traceback shows the app's own lines: those of Django and of this script help nobody.
"""


def collectstatic(tree: Tree, circumstances: Circumstances) -> Finish | None:
    """Return None when the app has no manage.py, or does not want its static files collected."""
    manage = next(iter(tree.named("manage.py", _DEEPEST)), None)
    off = circumstances.environment.get(SWITCH, "0") not in {"", "0"} or tree.has(_OFF_FILE)
    if manage is None or off:
        return None
    without = circumstances.config_set(f"{SWITCH}=1")
    advice = (
        "Django has no STATIC_ROOT: add  STATIC_ROOT = BASE_DIR / 'staticfiles'  to its settings,"
        f" or: {without}"
    )
    return Finish(
        "Collecting static files",
        BuildCommand(
            ["python", "-c", _COLLECT, manage, _RESULT_FILE, advice],
            shown=f"python {manage} collectstatic --noinput",
            hint=f"mend it, commit and push; or push without static files:  {without}",
            explain=lambda lines: explained(lines, circumstances, frozenset(tree.root)),
        ),
        _RESULT_FILE,
        needs_package="django",
    )
