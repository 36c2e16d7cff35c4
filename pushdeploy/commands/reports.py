"""Reports tell facts about apps under the names that clients and scripts of Dokku ask for."""

from collections.abc import Callable, Mapping, Sequence

import click

from pushdeploy.commands.face.arguments import find_app, form_option
from pushdeploy.commands.face.command import Command, command
from pushdeploy.commands.face.printing import show_json
from pushdeploy.commands.face.request import Request
from pushdeploy.domain.app import App, deploy_branch_of
from pushdeploy.domain.errors import UserError
from pushdeploy.output import columns

Report = Mapping[str, str]
"""Values by the name of the flag that asks for one of them alone."""

_SHORT_ID = 11


def app_report(request: Request, app: App) -> Report:
    live = request.store.releases.current(app.name)
    return {
        "app-created-at": str(int(app.created_at.timestamp())),
        "app-deploy-source": "git-push" if live else "",
        "app-deploy-source-metadata": str(live.slug.commit) if live else "",
        "app-locked": _word(app.lock is not None),
    }


def ps_report(request: Request, app: App) -> Report:
    live = request.store.releases.current(app.name)
    wanted = request.reads.tasks.formation(app) if live else {}
    tasks = request.reads.tasks.tasks(app.name)
    up = sum(task.state == "up" for task in tasks)
    return {
        "deployed": _word(live is not None),
        "processes": str(sum(wanted.values())),
        "ps-can-scale": "true",
        "ps-stop-timeout-seconds": str(app.settings.run.stop_grace_seconds),
        "running": "mixed" if 0 < up < len(tasks) else _word(up > 0),
        **{
            f"status-{str(task.slot).replace('.', '-')}": (
                f"{task.state} (container: {task.container[:_SHORT_ID]})"
            )
            for task in tasks
        },
    }


def domains_report(request: Request, app: App) -> Report:
    sites = request.reads.addresses
    return {
        "domains-app-enabled": "true",
        "domains-app-vhosts": " ".join(sites.hosts(app.name)),
        "domains-global-enabled": "true",
        "domains-global-vhosts": sites.domain,
    }


def checks_report(request: Request, app: App) -> Report:
    live = request.store.releases.current(app.name)
    found = live.slug.checks if live else {}
    checks = [f"{kind}:{check.name}" for kind, each in found.items() for check in each]
    return {
        "checks-disabled-list": "none",
        "checks-list": " ".join(checks) or "none",
        "checks-skipped-list": "none",
        "checks-timeout": str(app.settings.run.boot_timeout_seconds),
        "checks-wait-to-retire": str(app.settings.front.drain_seconds),
    }


def ports_report(request: Request, app: App) -> Report:
    port = request.reads.tasks.port(app)
    addresses = request.reads.addresses
    fronts = [f"http:{addresses.http_port}"]
    if addresses.https_port:
        fronts.append(f"https:{addresses.https_port}")
    return {"ports-map": " ".join(f"{front}:{port}" for front in fronts) if port else ""}


def certs_report(request: Request, app: App) -> Report:
    hosts = request.reads.certificates.hosts(app.name)
    found = next((each.certificate for each in hosts if each.certificate), None)
    covered = [str(each.host) for each in hosts if each.certificate]
    return {
        "ssl-enabled": _word(bool(found) and request.reads.certificates.serves_tls),
        "ssl-hostnames": " ".join(covered),
        "ssl-expires-at": found.not_after.isoformat() if found else "",
        "ssl-issuer": found.issuer if found else "",
        "ssl-starts-at": found.not_before.isoformat() if found else "",
        "ssl-subject": found.names[0] if found and found.names else "",
        "ssl-fingerprint": found.fingerprint if found else "",
    }


def git_report(request: Request, app: App) -> Report:
    del request
    return {
        "git-deploy-branch": deploy_branch_of(app, ()),
        "git-rev-env-var": "GIT_REV",
    }


def builds_report(request: Request, app: App) -> Report:
    live = request.store.releases.current(app.name)
    if live is None:
        return {"builds-builder": ""}
    slug = live.slug
    return {
        "builds-builder": slug.builder,
        "builds-stack": slug.stack,
        "builds-commit": str(slug.commit),
        "builds-built-at": str(int(slug.created_at.timestamp())),
        "builds-published": slug.published.shown if slug.published else "",
        "builds-published-why": slug.published.why if slug.published else "",
    }


def _reporting(noun: str, about: str, facts: Callable[[Request, App], Report]) -> Command:
    """The command ``<noun>:report``."""

    def report(request: Request, app: str | None, flags: tuple[str, ...], form: str) -> None:
        apps = [find_app(request.store, app)] if app else request.store.apps.list()
        reports = {str(each.name): facts(request, each) for each in apps}
        if flags:
            for each in reports.values():
                request.output.line(_only(each, flags))
        elif form == "json":
            found = list(reports.values())
            show_json(request, found[0] if app else reports)
        else:
            _show(request, noun, reports)

    report.__doc__ = f"Show {about}, for scripts that know Dokku's names; --NAME prints one alone."
    body = click.argument("flags", nargs=-1, metavar="[--NAME]")(form_option(report))
    body = click.argument("app", required=False, metavar="[APP]")(body)
    unknown_flags_are_words = {"ignore_unknown_options": True}
    made = command(
        f"{noun}:report",
        reads=True,
        example=f"{noun}:report shop",
        context_settings=unknown_flags_are_words,
    )
    return made(body)


COMMANDS: Sequence[Command] = (
    _reporting("apps", "since when there is an app and what is deployed", app_report),
    _reporting("ps", "the processes that are to run, and those that do", ps_report),
    _reporting("domains", "the host names of an app", domains_report),
    _reporting("builds", "how the live slug was built, and what it publishes", builds_report),
    _reporting("checks", "how the health of an app is checked", checks_report),
    _reporting("ports", "from which port to which port requests go", ports_report),
    _reporting("certs", "the certificate of an app's first host that has one", certs_report),
    _reporting("git", "which branch deploys an app", git_report),
)


def _only(report: Report, flags: Sequence[str]) -> str:
    """Raise ``UserError`` unless one fact is asked for that there is."""
    name = flags[0].removeprefix("--")
    if len(flags) > 1 or name not in report:
        raise UserError(
            f"{' '.join(flags)[:80]} is no fact of this report",
            f"there are {', '.join(f'--{each}' for each in report)}",
        )
    return report[name]


def _show(request: Request, noun: str, reports: Mapping[str, Report]) -> None:
    for app, report in reports.items():
        request.output.headline(f"{app} {noun} information")
        for line in columns([(f"{_title(name)}:", value) for name, value in report.items()]):
            request.output.detail(line)


def _title(name: str) -> str:
    return name.replace("-", " ").capitalize()


def _word(fact: bool) -> str:
    return "true" if fact else "false"
