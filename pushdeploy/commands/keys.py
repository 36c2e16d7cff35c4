"""Commands of keys let people use this server, and say as whom one is let in."""

import click

from pushdeploy.commands.face.arguments import form_option
from pushdeploy.commands.face.command import command
from pushdeploy.commands.face.printing import show_record, show_rows
from pushdeploy.commands.face.request import Request
from pushdeploy.commands.face.typed_input import read_bytes
from pushdeploy.domain.key_text import decoded
from pushdeploy.domain.names import KeyName
from pushdeploy.domain.public_key import PublicKey

_MOST_BYTES = 64 * 1024
_name_argument = click.argument("name", type=KeyName.parse, metavar="NAME")


@command("keys:add", "ssh-keys:add", needs="admin", example="keys:add bob < bob.pub")
@_name_argument
def add(request: Request, name: KeyName) -> None:
    """Let the public keys on standard input use this server, as NAME, NAME-2 and so on."""
    data = read_bytes(request.session, "Paste the line of the .pub file: ", _MOST_BYTES)
    keys = PublicKey.several(name, decoded(data))
    request.flow.keys.add(*keys)
    for key in keys:
        for line in key.admission:
            request.output.line(line)


@command("keys:list", "keys", "ssh-keys:list", reads=True, example="keys:list")
@form_option
def list_(request: Request, form: str) -> None:
    """Show whose keys may use this server."""
    rows = [
        {
            "name": str(key.name),
            "kind": key.kind,
            "fingerprint": key.fingerprint,
            "you": key.name == request.session.by,
        }
        for key in request.store.keys.list()
    ]
    show_rows(request, form, rows, ("name", "kind", "fingerprint"))


@command("keys:remove", "ssh-keys:remove", needs="admin", removes=True, example="keys:remove bob")
@_name_argument
@click.option("--force", is_flag=True, help="Also your own key, and the last one.")
def remove(request: Request, name: KeyName, force: bool) -> None:
    """Let NAME use this server no longer: what it has going on is cancelled."""
    others = request.flow.keys.remove(name, request.session.by, force=force)
    request.output.line(f"{name} may no longer deploy")
    if others:
        request.output.line(f"       still there: {', '.join(others)}")


@command("whoami", needs="anyone", reads=True, example="whoami")
@form_option
def whoami(request: Request, form: str) -> None:
    """Show as whom your key lets you in."""
    by = request.session.by
    if form == "json":
        show_record(request, form, {"name": str(by), "role": request.gate.role_of(by)})
        return
    request.output.line(str(by))


COMMANDS = (add, list_, remove, whoami)
