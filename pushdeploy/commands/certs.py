"""Commands of certificates give them to apps, and show by which one each host is shown."""

from collections.abc import Sequence
from datetime import UTC, datetime

import click

from pushdeploy.commands.face.arguments import app_argument, find_app, form_option
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.printing import Row, show_data, show_rows
from pushdeploy.commands.face.request import Request
from pushdeploy.commands.face.typed_input import Question, confirm, read_bytes
from pushdeploy.domain.app import App
from pushdeploy.domain.certificate import Certificate, ServedHost
from pushdeploy.domain.errors import UserError
from pushdeploy.domain.names import AppName, HostName
from pushdeploy.domain.outlook import Outlook
from pushdeploy.hostnames import parse_host, shown_host

_MOST_BYTES = 512 * 1024
_SHOWN = ("host", "app", "kind", "state", "ends_in", "issuer")

_perhaps_app = click.argument("app", required=False, metavar="[APP]")
_host_option = click.option(
    "--host", type=parse_host, metavar="NAME", help="For this host of the app alone."
)
_global_option = click.option(
    "--global", "for_all", is_flag=True, help="For all apps whose hosts it covers; admins only."
)


@command("certs:add", "certs:update", example="certs:add shop < shop.pem")
@_perhaps_app
@click.argument("files", nargs=-1, metavar="")
@_host_option
@_global_option
def add(
    request: Request,
    app: str | None,
    files: tuple[str, ...],
    host: HostName | None,
    for_all: bool,
) -> None:
    """Give an app the certificate on standard input, in place of the one for the same hosts.

    As PEM: the certificate, its chain and its key, in any order; or a tar of such files. It is
    checked first, and a fault leaves what was there before. It is for every host of the app that it
    covers, or for one --host; --global is for the hosts of all apps.
    """
    named = _named(request, app, host, for_all=for_all, act="certs:add --global")
    if files:
        raise UserError(
            "files of yours are not here", f"cat {' '.join(files)[:80]} | ssh deploy certs:add"
        )
    data = read_bytes(request.session, "Give it by standard input: ", _MOST_BYTES)
    given = request.flow.certificates.give(named, host, data, request.session.by)
    for note in given.notes:
        request.output.detail(note)
    ends = f"{given.certificate.not_after:%Y-%m-%d}"
    for each in given.hosts:
        request.output.line(f"{shown_host(each)} is shown by it, until {ends}")
    for each in given.uncovered if named else ():
        request.output.line(f"{shown_host(each)} is not covered")
    if not given.hosts:
        request.output.line(f"it is kept until {ends}: no app has a host that it covers yet")
    if not request.reads.certificates.serves_tls:
        request.output.trouble("this server does not serve https: set tls = own, and restart it")


@command("certs:remove", removes=True, example="certs:remove shop")
@_perhaps_app
@_host_option
@_global_option
@click.option("--force", is_flag=True, help="Do not ask.")
def remove(
    request: Request, app: str | None, host: HostName | None, for_all: bool, force: bool
) -> None:
    """Remove the certificates that people gave an app, with their keys.

    Its hosts are shown by the next best: one that came by itself, one for all apps, or the
    stand-in. --host removes the one for that host alone; --global those for all apps.
    """
    named = _named(request, app, host, for_all=for_all, act="certs:remove --global")
    found = request.flow.certificates.of_app(named, host)
    if not force and request.session.terminal is not None:
        name = named or "global"
        question = Question("removing a key", name, f"certs:remove {name} --force", "remove it")
        confirm(request.session, question)
    request.flow.certificates.take(found)
    for each in found:
        request.output.line(f"the certificate for {', '.join(each.names)} is removed")


@command("certs:show", reads=True, example="certs:show shop crt")
@app_argument
@click.argument("part", required=False, default="crt", metavar="[crt]")
@_host_option
def show(request: Request, app: App, part: str, host: HostName | None) -> None:
    """Print the certificates that an app was given, with their chains, as PEM. Never a key."""
    if part == "key":
        raise UserError(
            "keys are never printed", "keep your own copy; certs:add takes a new one at any time"
        )
    if part not in {"crt", "cert", "chain"}:
        raise UserError(f"{part[:40]!r} is no part of a certificate", f"certs:show {app.name} crt")
    for each in request.flow.certificates.of_app(app.name, host):
        show_data(request, request.reads.certificates.chain(each).rstrip())


@command("certs:list", "certs", reads=True, example="certs:list shop")
@_perhaps_app
@form_option
def list_(request: Request, app: str | None, form: str) -> None:
    """Show by which certificate each host is shown, and how long it lasts.

    Why one gets none by itself, or is not renewed, when that is tried again, and what to do.
    """
    named = find_app(request.store, app).name if app else None
    reads, now = request.reads.certificates, datetime.now(UTC)
    outlooks = {each.host: each for each in request.reads.outlooks.all(named)}
    rows = [_row(each, now, outlooks.get(each.host)) for each in reads.hosts(named)]
    show_rows(request, form, rows, _SHOWN, empty="no app yet: each has a host of its own")
    if not reads.serves_tls:
        request.output.trouble("this server does not serve https: tls is off")
    for warning in (*reads.warnings(named), *(each.said for each in outlooks.values())):
        if warning:
            request.output.trouble(warning)


COMMANDS: Sequence[click.Command] = (add, remove, show, list_)


def _named(
    request: Request, app: str | None, host: HostName | None, *, for_all: bool, act: str
) -> AppName | None:
    """The app that is meant; None for all of them, which admins alone may mean."""
    if for_all and (app or host):
        raise UserError("--global is for all apps", f"leave out {app or host}")
    if for_all:
        request.gate.check(request.session.by, "admin", act)
        return None
    if not app:
        raise UserError("name the app, or give --global", "certs:add shop < shop.pem")
    return find_app(request.store, app).name


def _row(served: ServedHost, now: datetime, outlook: Outlook | None) -> Row:
    certificate = served.certificate
    return {
        "host": str(served.host),
        "app": str(served.app),
        "kind": kind_of(certificate),
        "state": served.state(now),
        "ends_in": _left(certificate, now),
        "ends_at": certificate.not_after if certificate else None,
        "begins_at": certificate.not_before if certificate else None,
        "issuer": certificate.issuer if certificate else None,
        "names": list(certificate.names) if certificate else [],
        "key": certificate.key_type if certificate else None,
        "fingerprint": certificate.fingerprint if certificate else None,
        "by": certificate.by if certificate else None,
        "added_at": certificate.created_at if certificate else None,
        "automatic": outlook.state if outlook else None,
        "next_at": outlook.next_at if outlook else None,
        "why": outlook.why if outlook else "",
        "hint": outlook.hint if outlook else "",
    }


def kind_of(certificate: Certificate | None) -> str:
    """``own``, ``global``, ``automatic``, or ``stand-in`` for none."""
    if certificate is None:
        return "stand-in"
    if certificate.is_global:
        return "global"
    return "own" if certificate.kind == "own" else "automatic"


def _left(certificate: Certificate | None, now: datetime) -> str | None:
    if certificate is None:
        return None
    left = certificate.not_after - now
    if left.total_seconds() <= 0:
        return "ended"
    return f"{left.days} days" if left.days else f"{left.seconds // 3600} hours"
