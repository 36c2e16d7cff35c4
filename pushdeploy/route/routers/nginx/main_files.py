"""All apps share nginx's main file, its twin for trials and the pages, which are written here."""

import logging
import resource
import shutil
from collections.abc import Mapping, Sequence

from pushdeploy.domain.errors import BackendDown
from pushdeploy.route.routers.nginx.front_user import front_user
from pushdeploy.route.routers.nginx.kept_files import KeptFiles, read
from pushdeploy.route.routers.nginx.master import Master
from pushdeploy.route.routers.nginx.prefix import FORWARDING, MAIN, PAGES, TRIAL, Prefix
from pushdeploy.route.routers.nginx.program import features_of
from pushdeploy.route.routers.nginx.reloads import without_named
from pushdeploy.route.routers.nginx.rendering import (
    SharedFront,
    WorkerLimits,
    forwarding_file,
    main_file,
    page_files,
)
from pushdeploy.templating import Templates

_log = logging.getLogger(__name__)
_MOST_FILES = 65536


def install(
    prefix: Prefix, master: Master, kept: KeptFiles, templates: Templates, shared: SharedFront
) -> bool:
    """Write them when nginx accepts them: whether a running nginx has something new to read.

    Refused: one that runs goes on with the former ones, and the log says so; else
    ``BackendDown`` with nginx's words.
    """
    prefix.make()
    for name, text in page_files(templates).items():
        kept.write(prefix.pages / name, text.encode())
    former = {name: read(prefix.root / name) for name in (MAIN, TRIAL, PAGES, FORWARDING)}
    wanted = _rendered(master, templates, shared)
    _write(prefix, kept, wanted)
    lines = master.test(MAIN)
    if lines and master.pid is None:
        lines = _without_apps(prefix, master)
    if not lines:
        return wanted != former
    _write(prefix, kept, former)
    if master.pid is None:
        raise BackendDown(
            f"nginx refuses its main file: {lines[0]}",
            f"correct {prefix.root / 'conf.d'} or the template under <home>/templates/nginx",
        )
    _log.error("nginx goes on with its former main file:\n%s", "\n".join(lines))
    return False


def worker_limits() -> WorkerLimits:
    """Ask the machine what it lets the workers have, lest each start writes an alert."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = _MOST_FILES if most == resource.RLIM_INFINITY else min(most, _MOST_FILES)
    user = front_user()
    return WorkerLimits(f"{user.name} {user.group}" if user else "", files)


def _rendered(master: Master, templates: Templates, shared: SharedFront) -> Mapping[str, bytes]:
    features, workers = features_of(master.program), worker_limits()
    return {
        MAIN: main_file(templates, shared, workers, features, "apps").encode(),
        TRIAL: main_file(templates, shared, workers, features, "staging").encode(),
        FORWARDING: forwarding_file(templates, shared, features).encode(),
        PAGES: templates.render("nginx/pages.conf").encode(),
    }


def _without_apps(prefix: Prefix, master: Master) -> Sequence[str]:
    """Try to start without the apps that nginx names, else without any: what it says then.

    Their files are rendered again as soon as nginx runs.
    """
    lines = without_named(prefix, lambda: master.test(MAIN))
    if not lines:
        return lines
    shutil.rmtree(prefix.set_aside, ignore_errors=True)
    prefix.apps.rename(prefix.set_aside)
    prefix.apps.mkdir(mode=0o755)
    still = master.test(MAIN)
    if still:
        prefix.apps.rmdir()
        prefix.set_aside.rename(prefix.apps)
    else:
        _log.error("the apps' nginx files are set aside:\n%s", "\n".join(lines))
    return still


def _write(prefix: Prefix, kept: KeptFiles, files: Mapping[str, bytes | None]) -> None:
    for name, content in files.items():
        if content is not None:
            kept.write(prefix.root / name, content)
